// What runs in a thread of another process while the agent is brought into it.
#pragma once

#include <stddef.h>
#include <stdint.h>

/// What the code is told, what it answers, and the thread's registers, to which it returns. Lies in
/// the target, below the thread's stack.
typedef struct {
    /// 0 at first; 1: `memory_file` waits to be filled; 2: all is done.
    uint64_t state;
    /// Set by the tool: 1 when the file is filled and `path` names it, 2 when the results are read.
    uint64_t go;
    /// A descriptor, or a negative errno.
    int64_t memory_file;
    /// Address of dlopen(3); 0: the library is there, and nothing is loaded.
    uint64_t dlopen;
    /// wick_agent_serve: relative to the library's load bias; its address if nothing is loaded.
    uint64_t serve;
    /// Address of dlerror(3).
    uint64_t dlerror;
    /// What dlopen returned.
    uint64_t handle;
    /// What wick_agent_serve returned: a descriptor, or a negative errno.
    int64_t connection;
    /// Address of what dlerror says.
    uint64_t error_text;
    /// As iretq takes them.
    uint64_t rip, cs, rflags, rsp, ss;
    uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13;
    char path[64];
    char name[16];
    uint64_t r14, r15;
    /// The signals that the thread blocks; while it runs the code, all wait.
    uint64_t signal_mask;
    /// wick_agent_drop_ticks, as `serve`.
    uint64_t drop_ticks;
} wick_injection;

/// The code, to be copied anywhere; NULL on processors that it is not written for.
const uint8_t *wick_injection_code_start(size_t *byte_count);
