#include "wick_injection.h"

// The code that a stopped thread of another process runs: it maps a stack of its own, asks for a file
// in memory that the tool fills with libwick.so, loads it, calls wick_agent_serve, and goes back to
// where the thread was. It needs nobody's help to get there: whoever started it may be gone.
//
//   rdi        struct wick_injection, below the thread's red zone; kept in rbx
//   r12        the mapped stack, at its top the state of the vector units
//   r13        1 once the library is there
//
// Written for no particular address; calls only through the struct.

#if defined(__x86_64__)

__asm__(
    ".pushsection .rodata\n"
    ".globl wick_injection_code\n"
    ".globl wick_injection_code_end\n"
    ".balign 16\n"
    "wick_injection_code:\n"
    ".intel_syntax noprefix\n"
    "    cld\n"
    "    mov rbx, rdi\n"
    "    xor r13d, r13d\n"
    // mmap(NULL, 512 KiB, read and write, private, anonymous, no reserve)
    "    xor edi, edi\n"
    "    mov esi, 0x80000\n"
    "    mov edx, 3\n"
    "    mov r10d, 0x4022\n"
    "    or r8, -1\n"
    "    xor r9d, r9d\n"
    "    mov eax, 9\n"
    "    syscall\n"
    "    cmp rax, -4096\n"
    "    ja 8f\n"
    "    mov r12, rax\n"
    "    lea rsp, [rax + 0x7c000]\n"
    "    or eax, -1\n"
    "    or edx, -1\n"
    "    xsave64 [rsp]\n"
    "    cmp qword ptr [rbx + 24], 0\n"
    "    je 4f\n"
    // memfd_create("wick", MFD_CLOEXEC)
    "    lea rdi, [rbx + 280]\n"
    "    mov esi, 1\n"
    "    mov eax, 319\n"
    "    syscall\n"
    "    mov [rbx + 16], rax\n"
    "    test rax, rax\n"
    "    js 5f\n"
    // Waits until the file is filled, for a second at most.
    "    mov qword ptr [rbx], 1\n"
    "    mov ebp, 1\n"
    "    mov r14d, 10000\n"
    "    call 7f\n"
    "    jne 3f\n"
    // dlopen("/proc/self/fd/N", RTLD_NOW)
    "    lea rdi, [rbx + 216]\n"
    "    mov esi, 2\n"
    "    call [rbx + 24]\n"
    "    mov [rbx + 48], rax\n"
    "    test rax, rax\n"
    "    jnz 2f\n"
    "    call [rbx + 40]\n"
    "    mov [rbx + 64], rax\n"
    "    jmp 3f\n"
    // The handle is a struct link_map, which begins with the load bias.
    "2:  mov rax, [rax]\n"
    "    add [rbx + 32], rax\n"
    "    add [rbx + 320], rax\n"
    "    mov r13d, 1\n"
    "    call [rbx + 32]\n"
    "    cdqe\n"
    "    mov [rbx + 56], rax\n"
    "3:  mov rdi, [rbx + 16]\n"
    "    mov eax, 3\n"
    "    syscall\n"
    "    jmp 5f\n"
    "4:  mov r13d, 1\n"
    "    call [rbx + 32]\n"
    "    cdqe\n"
    "    mov [rbx + 56], rax\n"
    // Waits until the results are read, for a fifth of a second at most.
    "5:  mov qword ptr [rbx], 2\n"
    "    mov ebp, 2\n"
    "    mov r14d, 2000\n"
    "    call 7f\n"
    "    test r13d, r13d\n"
    "    jz 1f\n"
    "    call [rbx + 320]\n"
    "1:  or eax, -1\n"
    "    or edx, -1\n"
    "    xrstor64 [rsp]\n"
    "    lea rsp, [rbx + 72]\n"
    "    mov rdi, r12\n"
    "    mov esi, 0x80000\n"
    "    mov eax, 11\n"
    "    syscall\n"
    // rt_sigprocmask(SIG_SETMASK, &mask, NULL, 8): what came meanwhile is delivered here, before the
    // thread's call is made again; or in it, if it is one that takes a mask.
    "6:  mov edi, 2\n"
    "    lea rsi, [rbx + 312]\n"
    "    xor edx, edx\n"
    "    mov r10d, 8\n"
    "    mov eax, 14\n"
    "    syscall\n"
    // All registers as they were; iretq takes rip, cs, rflags, rsp, ss and leaves the red zone alone.
    "    mov rax, [rbx + 112]\n"
    "    mov rcx, [rbx + 128]\n"
    "    mov rdx, [rbx + 136]\n"
    "    mov rsi, [rbx + 144]\n"
    "    mov rdi, [rbx + 152]\n"
    "    mov rbp, [rbx + 160]\n"
    "    mov r8,  [rbx + 168]\n"
    "    mov r9,  [rbx + 176]\n"
    "    mov r10, [rbx + 184]\n"
    "    mov r11, [rbx + 192]\n"
    "    mov r12, [rbx + 200]\n"
    "    mov r13, [rbx + 208]\n"
    "    mov r14, [rbx + 296]\n"
    "    mov r15, [rbx + 304]\n"
    "    mov rbx, [rbx + 120]\n"
    "    iretq\n"
    // Waits until `go` is ebp, r14d times some 100 µs; then the zero flag is set.
    "7:  cmp [rbx + 8], rbp\n"
    "    je 9f\n"
    // select(0, NULL, NULL, NULL, {0, 30}): nanosleep would forget where the one of the thread was.
    "    push 30\n"
    "    push 0\n"
    "    mov r8, rsp\n"
    "    xor edi, edi\n"
    "    xor esi, esi\n"
    "    xor edx, edx\n"
    "    xor r10d, r10d\n"
    "    mov eax, 23\n"
    "    syscall\n"
    "    add rsp, 16\n"
    "    dec r14d\n"
    "    jnz 7b\n"
    "    cmp [rbx + 8], rbp\n"
    "9:  ret\n"
    // No memory: nothing has been changed yet.
    "8:  mov [rbx + 56], rax\n"
    "    mov qword ptr [rbx], 2\n"
    "    lea rsp, [rbx + 72]\n"
    "    jmp 6b\n"
    ".att_syntax prefix\n"
    "wick_injection_code_end:\n"
    ".popsection\n");

extern const uint8_t wick_injection_code[], wick_injection_code_end[];

const uint8_t *wick_injection_code_start(size_t *byte_count) {
    *byte_count = (size_t)(wick_injection_code_end - wick_injection_code);
    return wick_injection_code;
}

_Static_assert(offsetof(wick_injection, go) == 8, "the code knows these places");
_Static_assert(offsetof(wick_injection, memory_file) == 16, "");
_Static_assert(offsetof(wick_injection, dlopen) == 24, "");
_Static_assert(offsetof(wick_injection, serve) == 32, "");
_Static_assert(offsetof(wick_injection, dlerror) == 40, "");
_Static_assert(offsetof(wick_injection, handle) == 48, "");
_Static_assert(offsetof(wick_injection, connection) == 56, "");
_Static_assert(offsetof(wick_injection, error_text) == 64, "");
_Static_assert(offsetof(wick_injection, rip) == 72, "");
_Static_assert(offsetof(wick_injection, rax) == 112, "");
_Static_assert(offsetof(wick_injection, r13) == 208, "");
_Static_assert(offsetof(wick_injection, path) == 216, "");
_Static_assert(offsetof(wick_injection, name) == 280, "");
_Static_assert(offsetof(wick_injection, r14) == 296, "");
_Static_assert(offsetof(wick_injection, signal_mask) == 312, "");
_Static_assert(offsetof(wick_injection, drop_ticks) == 320, "");

#else

const uint8_t *wick_injection_code_start(size_t *byte_count) {
    *byte_count = 0;
    return NULL;
}

#endif
