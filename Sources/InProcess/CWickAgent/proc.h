// Small readers of /proc without stdio or malloc. Normal threads only.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// Reads a small file; returns the bytes read, always terminated; 0 if it cannot be read.
size_t wick_proc_read(const char *path, char *text, size_t byte_count);

/// Calls `visit` for every entry of a folder whose name is a number; stops if it returns false.
/// Returns false if the folder cannot be read.
bool wick_proc_each_number(const char *folder, bool (*visit)(uint32_t number, void *context),
                           void *context);

/// Field 22 of /proc/self/stat: when the process started, in clock ticks since boot; 0 if unknown.
uint64_t wick_proc_start_ticks(void);

/// Reads the name of a thread of this process into 16 bytes; empty if it is gone.
void wick_proc_thread_name(pid_t tid, char name[16]);

/// What /proc/self/status says behind "KEY:" (SigBlk, TracerPid, …), of a thread or (0) of the
/// process; 0 if it is not there.
uint64_t wick_proc_status(pid_t tid, const char *key, int base);

/// The process that traces this one; 0 if none does.
pid_t wick_proc_tracer(void);

/// Whether a seccomp filter is in force: a system call that it does not know may be deadly.
bool wick_proc_is_filtered(void);

/// Finds the readable mapping of this process that contains `address`; false if there is none.
/// Before Linux 6.11 it reads the list of all mappings, which takes milliseconds if they are many.
bool wick_proc_mapping(uintptr_t address, uintptr_t *low, uintptr_t *high);
