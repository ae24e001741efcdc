// A library whose code holds the address of malloc: the loader changes the code (DT_TEXTREL), which
// nobody else may. x86_64.
__asm__(".text\n"
        ".globl relocated_allocate\n"
        ".type relocated_allocate, @function\n"
        "relocated_allocate:\n"
        "    jmp *0f(%rip)\n"
        "    .balign 8\n"
        "0:  .quad malloc\n"
        ".size relocated_allocate, . - relocated_allocate\n");
