// The modules that are mapped into the process: found through the loader in a normal thread,
// numbered for the recording, and handed to the unwinder.
#pragma once

#include <limits.h>
#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WICK_BUILD_ID_LIMIT = 32 };

/// One mapped file of code. Addresses are runtime addresses.
typedef struct {
    uintptr_t load_bias, start, end;
    /// Number in the recording, from 1; 0: none yet.
    uint32_t id;
    uint32_t build_id_byte_count;
    uint8_t build_id[WICK_BUILD_ID_LIMIT];
    /// Whether it was there at the latest refresh.
    bool mapped;
    /// Last address written for this module in the recording, module-relative.
    uint64_t last_address;
    char path[];
} wick_image;

/// Called for each module that is given a number, in the order of the numbers.
typedef void wick_image_visitor(const wick_image *image);

/// Brings the list up to date with the loader's. Costs two loads if nothing was loaded or unloaded.
/// Modules that went stay findable until `wick_images_forget`. Writer thread only; takes the
/// loader's list lock, not its main lock.
void wick_images_refresh(void);

/// dl_iterate_phdr(3), in no thread that a fork might leave behind with the loader's lock held. Not the
/// host's threads; may call while a refresh waits.
void wick_images_visit(int (*visit)(struct dl_phdr_info *info, size_t size, void *context),
                       void *context);

/// Before a fork: lets no refresh begin and waits for the one under way, at most 200 ms. A child
/// would have the loader's list lock held for ever by a thread that it does not have.
void wick_images_hold(void);

/// After the fork, in parent and child.
void wick_images_go_on(bool in_child);

/// Drops the modules that went; returns whether there were any.
bool wick_images_forget(void);

/// The module that contains a runtime address; NULL if none. Writer thread only.
wick_image *wick_images_find(uintptr_t address);

/// The number of a module in the recording, given (and shown) on first use.
uint32_t wick_images_number(wick_image *image);

/// Takes all numbers back, for a new recording; `numbered` is shown the modules from here on.
void wick_images_renumber(wick_image_visitor *numbered);
