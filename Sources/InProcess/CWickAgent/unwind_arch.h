// What the unwinder must know of each architecture: which registers a walk keeps, their numbers in
// DWARF, and where the kernel leaves them for a signal's handler.
//
//              x86_64                        aarch64
//   fp         rbp                           x29
//   base       rbx, by which the loader      x30, the link register: the return address of
//              finds a frame of its own      code that has not saved it
//   context    r14: a Swift async            not kept: x22 is
//              function's                    saved at any offset
#pragma once

#include <stdbool.h>
#include <stdint.h>

#if defined(__x86_64__)

/// System V ABI, AMD64 supplement, figure 3.36.
enum : uint64_t {
    WICK_DWARF_BASE = 3,
    WICK_DWARF_FRAME_POINTER = 6,
    WICK_DWARF_STACK_POINTER = 7,
    WICK_DWARF_CONTEXT = 14,
    WICK_DWARF_RETURN_ADDRESS = 16,
};

/// From the stack pointer at the trampoline, where ucontext begins (asm/sigcontext.h).
enum : uintptr_t {
    WICK_SIGNAL_FRAME_CONTEXT = 96,
    WICK_SIGNAL_FRAME_FP = 120,
    WICK_SIGNAL_FRAME_BASE = 128,
    WICK_SIGNAL_FRAME_SP = 160,
    WICK_SIGNAL_FRAME_PC = 168,
};

enum : uintptr_t {
    /// User addresses have 47 bits (Linux, Documentation/arch/x86/x86_64/mm.rst).
    WICK_CODE_LIMIT = UINT64_C(1) << 47,
    /// Bits of a return address that are its address.
    WICK_ADDRESS_MASK = UINTPTR_MAX,
};

/// Calls push the return address; it is the word below the CFA.
enum : bool { WICK_HAS_LINK_REGISTER = false };

#elif defined(__aarch64__)

/// DWARF for the Arm 64-bit architecture, §4.1.
enum : uint64_t {
    WICK_DWARF_CONTEXT = 22,
    WICK_DWARF_FRAME_POINTER = 29,
    WICK_DWARF_BASE = 30,
    WICK_DWARF_RETURN_ADDRESS = 30,
    WICK_DWARF_STACK_POINTER = 31,
};

/// From the stack pointer at the trampoline: siginfo (128 bytes), then ucontext, whose sigcontext
/// is at 176 and has x0 at 8 (asm/ucontext.h, asm/sigcontext.h).
enum : uintptr_t {
    WICK_SIGNAL_FRAME_X0 = 128 + 176 + 8,
    WICK_SIGNAL_FRAME_CONTEXT = WICK_SIGNAL_FRAME_X0 + 22 * 8,
    WICK_SIGNAL_FRAME_FP = WICK_SIGNAL_FRAME_X0 + 29 * 8,
    WICK_SIGNAL_FRAME_BASE = WICK_SIGNAL_FRAME_X0 + 30 * 8,
    WICK_SIGNAL_FRAME_SP = WICK_SIGNAL_FRAME_X0 + 31 * 8,
    WICK_SIGNAL_FRAME_PC = WICK_SIGNAL_FRAME_X0 + 32 * 8,
};

enum : uintptr_t {
    /// User addresses have 48 bits but for those who ask for 52 (Linux, arch/arm64/memory.rst).
    WICK_CODE_LIMIT = UINT64_C(1) << 48,
    /// The bits above can hold a pointer authentication code.
    WICK_ADDRESS_MASK = WICK_CODE_LIMIT - 1,
};

/// Calls leave the return address in x30; where the callee saves it, no rule of the ABI says.
enum : bool { WICK_HAS_LINK_REGISTER = true };

#else
#error "no unwinder for this architecture"
#endif
