// The reader of symbols over files that are not what they say: elf-damage SCRATCH ROUNDS
// Finds what is in this program; then in copies that are cut off, or have some bytes changed.
#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "elf_symbols.h"

/// Local, so that no loader knows it.
static volatile uint64_t wick_local_value = 1;
static const char *const names[] = {"wick_local_value", "main", "wick_no_such_symbol"};
enum : size_t { NAME_COUNT = 3 };

int main(int count, char **arguments);

static int find_bias(struct dl_phdr_info *info, size_t size, void *bias) {
    (void)size;
    *(uintptr_t *)bias = info->dlpi_addr;
    return 1;
}

static void write_file(const char *path, const uint8_t *bytes, size_t byte_count) {
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file < 0 || write(file, bytes, byte_count) != (ssize_t)byte_count) {
        exit(1);
    }
    close(file);
}

static bool finds(const char *path, uintptr_t bias) {
    uintptr_t addresses[NAME_COUNT] = {0};
    wick_elf_find_symbols(path, bias, names, addresses, NAME_COUNT);
    return addresses[0] == (uintptr_t)&wick_local_value && addresses[1] == (uintptr_t)main &&
           addresses[2] == 0;
}

int main(int count, char **arguments) {
    if (count != 3) {
        return 2;
    }
    const char *path = arguments[1];
    uintptr_t bias = 0;
    dl_iterate_phdr(find_bias, &bias);
    int self = open("/proc/self/exe", O_RDONLY);
    struct stat status;
    fstat(self, &status);
    size_t byte_count = (size_t)status.st_size;
    uint8_t *original = malloc(byte_count), *copy = malloc(byte_count);
    if (read(self, original, byte_count) != (ssize_t)byte_count) {
        return 1;
    }
    write_file(path, original, byte_count);
    printf("whole %d missing %d folder %d\n", finds(path, bias), finds("/no/such/file", bias),
           finds("/", bias));

    // The section headers are last: no shorter file has them all.
    int found = 0;
    for (size_t i = 0; i < 64; i++) {
        write_file(path, original, i < 32 ? i * 4 : byte_count * (i - 32) / 32);
        found += finds(path, bias);
    }
    printf("cut %d\n", found);

    srand(1);
    size_t sections = (size_t)((const ElfW(Ehdr) *)original)->e_shoff;
    int damaged = 0;
    for (int round = 0; round < atoi(arguments[2]); round++) {
        memcpy(copy, original, byte_count);
        for (int change = 0; change < 4; change++) {
            size_t at = rand() % 2 ? sections + (size_t)rand() % (byte_count - sections)
                                   : (size_t)rand() % sizeof(ElfW(Ehdr));
            copy[at] = rand() % 3 ? (uint8_t)rand() : 0xff;
        }
        write_file(path, copy, byte_count);
        damaged += !finds(path, bias);
    }
    printf("damaged %d\n", damaged > 0);
    free(original);
    free(copy);
    return 0;
}
