// System calls without libc: errno stays as it is, and no lazily bound symbol is resolved, which a
// handler must not do. SIGNAL-SAFE as far as the call itself is.
#pragma once

/// Returns what the kernel returns: a negative errno on failure.
static inline long wick_raw_syscall0(long number) {
#if defined(__x86_64__)
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number) : "rcx", "r11", "memory");
    return result;
#elif defined(__aarch64__)
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0");
    __asm__ volatile("svc #0" : "=r"(x0) : "r"(x8) : "memory");
    return x0;
#else
#error "no system call for this architecture"
#endif
}
