// See elf_symbols.h. Layouts: elf(5).
#include "elf_symbols.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pages.h"

typedef struct {
    int descriptor;
    uint64_t byte_count;
} elf_file;

/// A part of the file in pages of its own.
typedef struct {
    void *bytes;
    size_t byte_count;
} elf_part;

static bool read_all(const elf_file *file, uint64_t offset, void *bytes, size_t byte_count) {
    for (size_t done = 0; done < byte_count;) {
        ssize_t got = pread(file->descriptor, (uint8_t *)bytes + done, byte_count - done,
                            (off_t)(offset + done));
        if (got <= 0) {
            if (got < 0 && errno == EINTR) {
                continue;
            }
            return false;
        }
        done += (size_t)got;
    }
    return true;
}

/// The part has no bytes if it is empty, not all in the file, or memory is refused.
static elf_part read_part(const elf_file *file, uint64_t offset, uint64_t byte_count) {
    elf_part part = {0};
    if (byte_count == 0 || offset > file->byte_count || byte_count > file->byte_count - offset) {
        return part;
    }
    part.bytes = wick_pages_map(byte_count);
    part.byte_count = byte_count;
    if (part.bytes && !read_all(file, offset, part.bytes, byte_count)) {
        wick_pages_unmap(part.bytes, byte_count);
        part.bytes = NULL;
    }
    return part;
}

static void look(const elf_part *symbols, const elf_part *strings, uintptr_t load_bias,
                 const char *const *names, uintptr_t *addresses, size_t count) {
    const ElfW(Sym) *all = symbols->bytes;
    const char *text = strings->bytes;
    if (text[strings->byte_count - 1] != 0) {
        return;
    }
    for (size_t i = 0; i < symbols->byte_count / sizeof(*all); i++) {
        unsigned type = ELF64_ST_TYPE(all[i].st_info);
        if ((type != STT_OBJECT && type != STT_FUNC) || all[i].st_shndx == SHN_UNDEF ||
            all[i].st_name >= strings->byte_count) {
            continue;
        }
        for (size_t name = 0; name < count; name++) {
            if (addresses[name] == 0 && strcmp(text + all[i].st_name, names[name]) == 0) {
                addresses[name] = load_bias + all[i].st_value;
            }
        }
    }
}

static void look_in_tables(const elf_file *file, uintptr_t load_bias, const char *const *names,
                           uintptr_t *addresses, size_t count) {
    ElfW(Ehdr) header;
    if (file->byte_count < sizeof(header) || !read_all(file, 0, &header, sizeof(header)) ||
        memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64 ||
        header.e_ident[EI_DATA] != ELFDATA2LSB || header.e_shentsize != sizeof(ElfW(Shdr))) {
        return;
    }
    elf_part table =
        read_part(file, header.e_shoff, (uint64_t)header.e_shnum * sizeof(ElfW(Shdr)));
    const ElfW(Shdr) *sections = table.bytes;
    for (size_t i = 0; sections && i < header.e_shnum; i++) {
        const ElfW(Shdr) *section = &sections[i];
        if ((section->sh_type != SHT_SYMTAB && section->sh_type != SHT_DYNSYM) ||
            section->sh_link >= header.e_shnum) {
            continue;
        }
        const ElfW(Shdr) *names_section = &sections[section->sh_link];
        elf_part symbols = read_part(file, section->sh_offset, section->sh_size);
        elf_part strings = read_part(file, names_section->sh_offset, names_section->sh_size);
        if (symbols.bytes && strings.bytes) {
            look(&symbols, &strings, load_bias, names, addresses, count);
        }
        wick_pages_unmap(symbols.bytes, symbols.byte_count);
        wick_pages_unmap(strings.bytes, strings.byte_count);
    }
    wick_pages_unmap(table.bytes, table.byte_count);
}

void wick_elf_find_symbols(const char *path, uintptr_t load_bias, const char *const *names,
                           uintptr_t *addresses, size_t count) {
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat status;
    if (descriptor < 0) {
        return;
    }
    if (fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0) {
        elf_file file = {.descriptor = descriptor, .byte_count = (uint64_t)status.st_size};
        look_in_tables(&file, load_bias, names, addresses, count);
    }
    close(descriptor);
}
