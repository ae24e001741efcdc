// An interrupted thread's registers, as the unwinder wants them.
#pragma once

#include <ucontext.h>

#include "unwind.h"

static inline wick_registers registers_of(const ucontext_t *context) {
#if defined(__x86_64__)
    const greg_t *values = context->uc_mcontext.gregs;
    return (wick_registers){.pc = (uintptr_t)values[REG_RIP],
                            .sp = (uintptr_t)values[REG_RSP],
                            .fp = (uintptr_t)values[REG_RBP],
                            .base = (uintptr_t)values[REG_RBX],
                            .context = (uintptr_t)values[REG_R14]};
#else
    return (wick_registers){.pc = context->uc_mcontext.pc,
                            .sp = context->uc_mcontext.sp,
                            .fp = context->uc_mcontext.regs[29],
                            .base = context->uc_mcontext.regs[30],
                            .context = context->uc_mcontext.regs[22]};
#endif
}
