// The modules that are mapped into the process: found through the loader in a normal thread,
// numbered for the recording, and handed to the unwinder.
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WICK_BUILD_ID_LIMIT = 32 };

/// One mapped file of code. Addresses are runtime addresses.
typedef struct {
    uintptr_t load_bias, start, end;
    /// Number in the recording, from 1.
    uint32_t id;
    uint32_t build_id_byte_count;
    uint8_t build_id[WICK_BUILD_ID_LIMIT];
    /// Whether it was there at the latest refresh.
    bool mapped;
    /// Last address written for this module in the recording, module-relative.
    uint64_t last_address;
    char path[];
} wick_image;

/// Called for each module that appeared, in the order of its number.
typedef void wick_image_visitor(const wick_image *image, void *context);

/// Brings the list up to date with the loader's. Costs two loads if nothing was loaded or unloaded.
/// `appeared` is called for new modules. Modules that went stay findable until
/// `wick_images_forget`. Writer thread only; takes the loader's list lock, not its main lock.
void wick_images_refresh(wick_image_visitor *appeared, void *context);

/// Drops the modules that went; returns whether there were any.
bool wick_images_forget(void);

/// The module that contains a runtime address; NULL if none. Writer thread only.
wick_image *wick_images_find(uintptr_t address);

/// Numbers the known modules from 1 again and shows each to `appeared`, for a new recording.
void wick_images_renumber(wick_image_visitor *appeared, void *context);
