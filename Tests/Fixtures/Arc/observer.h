// What traffic.swift knows of ARC hooks: counts by type, and what the observer was shown wrongly.
#pragma once

#include <stdbool.h>
#include <stdint.h>

/// wick_arc_begin with the counting observer; its state by number.
int arc_begin(void);
/// The same with an observer that does nothing.
int arc_begin_idle(void);
void arc_end(void);

uint64_t arc_retains(const void *_Nonnull type);
uint64_t arc_releases(const void *_Nonnull type);

/// Whether each of the following references compares its stack with the platform's own unwinder.
void arc_compare_stacks(bool compare);
/// Stacks compared; those that differed; references whose registers were not the caller's.
uint64_t arc_stacks(void);
uint64_t arc_wrong_stacks(void);
uint64_t arc_wrong_registers(void);

/// Takes and gives up references by calls that no optimizer sees: `count` of each kind, a retain_n
/// and a release_n of 3, and a tryRetain. Returns how many were taken.
uint64_t arc_exercise(void *_Nonnull object, uint32_t count);

/// Retains and releases one after the other; ns per pair.
double arc_pair_ns(void *_Nonnull object, uint32_t count);

/// The strong references of an object.
uint64_t arc_reference_count(void *_Nonnull object);
