// What the audit counts, in a file that all audited processes share: nothing is lost when one is
// killed. Read by HandlerAudit.swift: eight-byte little-endian words in this order.
#pragma once

#include <stdatomic.h>
#include <stdint.h>

enum { SYSCALL_COUNT = 512, FUNCTION_COUNT = 64 };

typedef struct {
    /// Times that a tick of the agent's was handled.
    _Atomic uint64_t runs;
    /// Times that errno was another one afterwards.
    _Atomic uint64_t errno_changes;
    /// Most bytes of stack that the handler used.
    _Atomic uint64_t most_stack;
    /// Threads in which system calls could not be watched.
    _Atomic uint64_t unwatched;
    /// System calls in the handler that the design does not permit, by number, and those that it does.
    _Atomic uint64_t forbidden_calls[SYSCALL_COUNT];
    _Atomic uint64_t permitted_calls[SYSCALL_COUNT];
    /// Calls of the functions in audit.c's list, by place in it.
    _Atomic uint64_t functions[FUNCTION_COUNT];
} audit_report;
