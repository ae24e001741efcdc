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
    /// Extent of the PT_LOAD segment that .eh_frame_hdr is in: nothing outside of it is read, as
    /// there may be unmapped gaps between segments. Both 0: all of start..<end is readable.
    uintptr_t segment_start, segment_end;
} wick_unwind_module;

/// Registers of the interrupted code, from its ucontext.
typedef struct {
    uintptr_t pc, sp, fp;
    /// rbx, or x30; r14, or nothing: see unwind_arch.h.
    uintptr_t base, context;
} wick_registers;

enum : unsigned { WICK_RULE_CACHE_SLOT_COUNT = 512 };

/// The rules that a thread's last walks needed, so that the next need not search for them. Zeroed
/// by its owner, then only used by `wick_unwind`.
typedef struct {
    uint64_t generation;
    struct {
        uintptr_t pc;
        uint64_t rule;
    } slots[WICK_RULE_CACHE_SLOT_COUNT];
} wick_rule_cache;

/// Which stack memory may be read, and what a walk may write to. All of it belongs to one walk at a
/// time: a handler that can be interrupted by another one's walk needs its own.
typedef struct {
    /// sp ≤ address < high is mapped and readable; 0 if nothing is known, then every read goes
    /// through process_vm_readv, a window at a time. Only sp's own stack counts: of a thread that
    /// runs on another one (sigaltstack, a fiber), nothing is known.
    uintptr_t high;
    /// For those windows: `scratch_byte_count` bytes (≥ 4096) owned by the calling thread. NULL
    /// where process_vm_readv must not be called (a seccomp filter may kill for it).
    uint8_t *scratch;
    size_t scratch_byte_count;
    /// NULL costs a search per frame.
    wick_rule_cache *cache;
} wick_stack_memory;

/// Set in a frame, whose address has 56 bits at most: a signal interrupted this code, and the
/// handler's frames are before it. It made no call, so its pc is exact, as the first frame's is.
enum : uintptr_t { WICK_FRAME_MARK_INTERRUPTED = UINT64_C(1) << 63 };

/// The result of one walk.
typedef struct {
    /// Frames written: the interrupted instruction, then return addresses, leaf first; frames
    /// that are neither are marked.
    size_t frame_count;
    /// 0 if the thread's entry was reached, else why the walk stopped.
    uint32_t truncation;
    /// Frames that were stepped by frame pointer because no rule covered their pc.
    uint32_t frame_pointer_steps;
    /// Whether a frame was in no module that is known: one may have been loaded since.
    bool met_unknown_code;
} wick_walk;

enum : uint32_t { WICK_KNOWN_FRAME_LIMIT = 512 };

/// A frame of a walk from a call.
typedef struct __attribute__((aligned(16))) {
    /// The return address, and the registers as they are after the return. fp and pc stand here as they do
    /// in the stack, where a function begins by saving fp.
    uintptr_t fp, pc, sp;
    /// Where the caller's fp was read, or one of the values below.
    uintptr_t fp_place;
    /// The owner's: what it knows of the stack that ends here.
    uint64_t hash;
    uint32_t node;
    /// From this frame outward, how many have saved fp beside pc.
    uint32_t run;
} wick_known_frame;

enum : uintptr_t {
    /// The caller has the same fp.
    WICK_SAME_FP,
    /// Just below its return address.
    WICK_FP_BESIDE_PC,
    /// The way to the caller depends on more than these registers.
    WICK_MUST_STEP,
};

/// A thread's latest walk from a call, outermost frame first. The next walk goes only as far as the
/// stack has changed since. Zeroed by its owner.
typedef struct {
    uint64_t generation;
    uint32_t count;
    /// Frames at the outer end whose nodes are those of the walk before.
    uint32_t unchanged;
    /// 0 or a `wick_truncation`.
    uint32_t truncation;
    /// Whether the outermost frame is one by its code alone.
    bool is_anchored;
    wick_known_frame frames[WICK_KNOWN_FRAME_LIMIT];
} wick_known_walk;

/// Walks from a function's call site: `registers` are the caller's as they will be after the return,
/// `pc` the return address. HOOK-SAFE as `wick_unwind` is SIGNAL-SAFE. Exact: of the walk before, what the
/// words that it read on the way still say is taken over, and nothing else.
void wick_unwind_call(const wick_registers *registers, const wick_stack_memory *memory,
                      wick_known_walk *known);

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
