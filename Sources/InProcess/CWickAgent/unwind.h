// The unwinder's two faces: tables that a normal thread builds, and the walk that a handler does.
//
//   normal thread                                      handler
//   wick_unwind_add_module ─► tables ─ atomic pointer ─► wick_unwind
//
// Nothing else of the agent knows how a stack is walked.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wick_format.h"

/// Where code is mapped and how its calls are undone; addresses are runtime addresses.
/// The memory behind the pointers must stay mapped during `wick_unwind_add_module` only.
typedef struct {
    uintptr_t load_bias;
    /// Extent of the module's PT_LOAD segments; and of the executable ones among them.
    uintptr_t start, end;
    uintptr_t text_start, text_end;
    /// PT_GNU_EH_FRAME (.eh_frame_hdr) as mapped; NULL where the module has none.
    const uint8_t *eh_frame_hdr;
    size_t eh_frame_hdr_byte_count;
} wick_unwind_module;

/// Registers of the interrupted code, from its ucontext.
typedef struct {
    uintptr_t pc, sp, fp;
} wick_registers;

/// Which stack memory may be read.
typedef struct {
    /// sp ≤ address < high is mapped and readable; 0 if nothing is known, then every read goes
    /// through process_vm_readv, a window at a time.
    uintptr_t high;
    /// For those windows: `scratch_byte_count` bytes (≥ 4096) owned by the calling thread.
    uint8_t *scratch;
    size_t scratch_byte_count;
} wick_stack_memory;

/// The result of one walk.
typedef struct {
    /// Frames written: the interrupted instruction, then return addresses, leaf first.
    size_t frame_count;
    /// 0 if the thread's entry was reached, else why the walk stopped.
    uint32_t truncation;
    /// Frames that were stepped by frame pointer because no rule covered their pc.
    uint32_t frame_pointer_steps;
} wick_walk;

/// Builds the table of a module and publishes it. Normal threads only, one at a time; takes no
/// lock, calls no malloc and no loader function. Returns false if memory was refused; the module's
/// frames are then stepped by frame pointer.
bool wick_unwind_add_module(const wick_unwind_module *module);

/// Unpublishes the table of a module that is no longer mapped. Handlers may still be reading it,
/// so its memory stays. Same threads as `wick_unwind_add_module`.
void wick_unwind_remove_module(uintptr_t load_bias, uintptr_t start);

/// Walks a stack. SIGNAL-SAFE: no lock, no allocation, no libc call but process_vm_readv (as a raw
/// syscall, errno kept). Writes at most `limit` (≥ 1) frames to `frames`.
wick_walk wick_unwind(const wick_registers *registers, const wick_stack_memory *memory,
                      uintptr_t *frames, size_t limit);
