#include "images.h"

#include <elf.h>
#include <link.h>
#include <pthread.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "pages.h"
#include "unwind.h"

enum { IMAGE_LIMIT = 8192, PATH_ARENA_BYTES = 1 << 20, HOLD_LOOKS = 2000, HOLD_LOOK_NS = 100000 };

/// Held by a refresh, or from before to after a fork.
static pthread_mutex_t refreshing = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local __attribute__((tls_model("initial-exec"))) bool is_holding;

// Sorted by start. One list for the life of the process: the agent has one writer thread.
static wick_image *list[IMAGE_LIMIT];
static size_t count;
static uint32_t next_id = 1;
static wick_image_visitor *show;
static unsigned long long seen_adds, seen_subs;

/// Images live as long as the process: handlers and recordings may refer to what is unloaded.
static wick_image *allocate(size_t path_length) {
    static uint8_t *arena;
    static size_t used, size;
    size_t need = (sizeof(wick_image) + path_length + 1 + 15) & ~(size_t)15;
    if (size - used < need) {
        size = PATH_ARENA_BYTES;
        used = 0;
        arena = wick_pages_map(size);
        if (!arena) {
            size = 0;
            return NULL;
        }
    }
    wick_image *image = (wick_image *)(arena + used);
    used += need;
    return image;
}

/// Reads the build-id of a module into WICK_BUILD_ID_LIMIT bytes; returns its size, 0 if none.
static uint32_t read_build_id(const struct dl_phdr_info *info, uint8_t *build_id) {
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        if (segment->p_type != PT_NOTE) {
            continue;
        }
        const uint8_t *next = (const uint8_t *)(info->dlpi_addr + segment->p_vaddr);
        size_t left = segment->p_memsz;
        // Notes in a segment aligned to 8 are padded to 8 (gABI); build-ids come in both kinds.
        size_t align = segment->p_align == 8 ? 8 : 4;
        while (left >= sizeof(ElfW(Nhdr))) {
            const ElfW(Nhdr) *note = (const ElfW(Nhdr) *)next;
            size_t name = (note->n_namesz + align - 1) & ~(align - 1);
            size_t size = sizeof(*note) + name + ((note->n_descsz + align - 1) & ~(align - 1));
            if (size > left || name > left) {
                break;
            }
            if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 &&
                memcmp(next + sizeof(*note), "GNU", 4) == 0 &&
                note->n_descsz <= WICK_BUILD_ID_LIMIT) {
                memcpy(build_id, next + sizeof(*note) + name, note->n_descsz);
                return note->n_descsz;
            }
            next += size;
            left -= size;
        }
    }
    return 0;
}

/// The path to record: absolute, "[vdso]" for the kernel's page.
static size_t path_of(const struct dl_phdr_info *info, bool vdso, char *path, size_t byte_count) {
    if (vdso) {
        strcpy(path, "[vdso]");
        return strlen(path);
    }
    const char *name = info->dlpi_name;
    if (name && name[0] == '/') {
        size_t length = strnlen(name, byte_count - 1);
        memcpy(path, name, length);
        return length;
    }
    if (!name || !name[0]) {
        ssize_t length = readlink("/proc/self/exe", path, byte_count - 1);
        return length > 0 ? (size_t)length : 0;
    }
    size_t length = 0;
    if (getcwd(path, byte_count)) {
        length = strlen(path);
    }
    size_t name_length = strlen(name);
    if (length + 1 + name_length >= byte_count) {
        return 0;
    }
    path[length] = '/';
    memcpy(path + length + 1, name, name_length);
    return length + 1 + name_length;
}

static void extents(const struct dl_phdr_info *info, wick_unwind_module *module) {
    *module = (wick_unwind_module){
        .load_bias = info->dlpi_addr, .start = UINTPTR_MAX, .text_start = UINTPTR_MAX};
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        uintptr_t start = info->dlpi_addr + segment->p_vaddr;
        uintptr_t end = start + segment->p_memsz;
        if (segment->p_type == PT_GNU_EH_FRAME) {
            module->eh_frame_hdr = (const uint8_t *)start;
            module->eh_frame_hdr_byte_count = segment->p_memsz;
        }
        if (segment->p_type != PT_LOAD) {
            continue;
        }
        module->start = start < module->start ? start : module->start;
        module->end = end > module->end ? end : module->end;
        if (segment->p_flags & PF_X) {
            module->text_start = start < module->text_start ? start : module->text_start;
            module->text_end = end > module->text_end ? end : module->text_end;
        }
    }
    uintptr_t header = (uintptr_t)module->eh_frame_hdr;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        uintptr_t start = info->dlpi_addr + segment->p_vaddr;
        if (segment->p_type == PT_LOAD && header - start < segment->p_memsz) {
            module->segment_start = start;
            module->segment_end = start + segment->p_memsz;
        }
    }
}

static wick_image *insert(const wick_unwind_module *module, const char *path, size_t length) {
    wick_image *image = count < IMAGE_LIMIT ? allocate(length) : NULL;
    if (!image) {
        return NULL;
    }
    *image = (wick_image){.load_bias = module->load_bias, .start = module->start,
                          .end = module->end, .mapped = true};
    memcpy(image->path, path, length);
    image->path[length] = 0;
    size_t place = count++;
    while (place > 0 && list[place - 1]->start > image->start) {
        list[place] = list[place - 1];
        place--;
    }
    list[place] = image;
    return image;
}

typedef struct {
    bool first;
} refresh;

static int visit(struct dl_phdr_info *info, size_t size, void *context) {
    refresh *state = context;
    if (state->first) {
        state->first = false;
        bool counted = size >= offsetof(struct dl_phdr_info, dlpi_subs) + sizeof(info->dlpi_subs);
        if (counted && count > 0 && info->dlpi_adds == seen_adds && info->dlpi_subs == seen_subs) {
            return 1;
        }
        seen_adds = info->dlpi_adds;
        seen_subs = info->dlpi_subs;
        for (size_t i = 0; i < count; i++) {
            list[i]->mapped = false;
        }
    }
    wick_unwind_module module;
    extents(info, &module);
    if (module.end <= module.start) {
        return 0;
    }
    bool vdso = module.start == getauxval(AT_SYSINFO_EHDR);
    char path[PATH_MAX];
    size_t length = path_of(info, vdso, path, sizeof(path));
    wick_image *known = wick_images_find(module.start);
    uint8_t build_id[WICK_BUILD_ID_LIMIT];
    uint32_t build_id_byte_count = read_build_id(info, build_id);
    // A library that was replaced and loaded again may be at the same place by the same name.
    if (known && known->start == module.start && known->end == module.end &&
        known->build_id_byte_count == build_id_byte_count &&
        memcmp(known->build_id, build_id, build_id_byte_count) == 0 &&
        strlen(known->path) == length && memcmp(known->path, path, length) == 0) {
        known->mapped = true;
        return 0;
    }
    wick_image *image = insert(&module, path, length);
    if (image) {
        memcpy(image->build_id, build_id, build_id_byte_count);
        image->build_id_byte_count = build_id_byte_count;
        wick_unwind_add_module(&module);
    }
    return 0;
}

void wick_images_refresh(void) {
    // Within the callback the loader's list is locked: nothing can be unmapped while it is read.
    refresh state = {.first = true};
    pthread_mutex_lock(&refreshing);
    dl_iterate_phdr(visit, &state);
    pthread_mutex_unlock(&refreshing);
}

void wick_images_visit(int (*visit)(struct dl_phdr_info *info, size_t size, void *context),
                       void *context) {
    pthread_mutex_lock(&refreshing);
    dl_iterate_phdr(visit, context);
    pthread_mutex_unlock(&refreshing);
}

void wick_images_hold(void) {
    // Not for ever: who forks within a dl_iterate_phdr of its own is what the refresh waits for.
    for (int look = 0; look < HOLD_LOOKS && !is_holding; look++) {
        is_holding = pthread_mutex_trylock(&refreshing) == 0;
        if (!is_holding) {
            syscall(SYS_nanosleep, &(struct timespec){.tv_nsec = HOLD_LOOK_NS}, NULL);
        }
    }
}

void wick_images_go_on(bool in_child) {
    if (in_child) {
        refreshing = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    } else if (is_holding) {
        pthread_mutex_unlock(&refreshing);
    }
    is_holding = false;
}

/// Whether another image is now where this one was: the unwinder knows only that one.
static bool is_replaced(const wick_image *gone) {
    for (size_t i = 0; i < count; i++) {
        if (list[i]->mapped && list[i]->start == gone->start &&
            list[i]->load_bias == gone->load_bias) {
            return true;
        }
    }
    return false;
}

bool wick_images_forget(void) {
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (list[i]->mapped) {
            list[kept++] = list[i];
        } else if (!is_replaced(list[i])) {
            wick_unwind_remove_module(list[i]->load_bias, list[i]->start);
        }
    }
    bool any = kept != count;
    count = kept;
    return any;
}

wick_image *wick_images_find(uintptr_t address) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (list[middle]->start <= address) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    // A module that went may overlap one that came: the one that is mapped is the right one.
    wick_image *best = NULL;
    for (size_t i = low; i > 0 && i + 4 > low; i--) {
        wick_image *image = list[i - 1];
        if (address < image->end && (!best || image->mapped)) {
            best = image;
            if (best->mapped) {
                break;
            }
        }
    }
    return best;
}

uint32_t wick_images_number(wick_image *image) {
    if (image->id == 0) {
        image->id = next_id++;
        show(image);
    }
    return image->id;
}

void wick_images_renumber(wick_image_visitor *numbered) {
    next_id = 1;
    show = numbered;
    for (size_t i = 0; i < count; i++) {
        list[i]->id = 0;
        list[i]->last_address = 0;
    }
}
