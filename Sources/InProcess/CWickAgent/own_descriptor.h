// A descriptor of ours in a process that is not: some hosts close all descriptors, and what they open
// next may have the number of one of ours. Before each use it is asked whether it still is ours.
#pragma once

#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

/// A socket or a pipe, each of which has an inode of its own (anonymous files share one).
typedef struct {
    /// -1: none.
    int number;
    dev_t device;
    ino_t inode;
} wick_own_descriptor;

static inline wick_own_descriptor wick_no_descriptor(void) {
    return (wick_own_descriptor){.number = -1};
}

/// Remembers which file a descriptor is; a negative number stays none.
static inline wick_own_descriptor wick_own(int number) {
    struct stat status;
    if (number < 0 || fstat(number, &status) != 0) {
        return wick_no_descriptor();
    }
    return (wick_own_descriptor){
        .number = number, .device = status.st_dev, .inode = status.st_ino};
}

/// Whether the number still is that file.
static inline bool wick_is_own(const wick_own_descriptor *one) {
    struct stat status;
    return one->number >= 0 && fstat(one->number, &status) == 0 &&
           status.st_dev == one->device && status.st_ino == one->inode;
}

/// Closes it if it is ours; then it is none.
static inline void wick_disown(wick_own_descriptor *one) {
    if (wick_is_own(one)) {
        close(one->number);
    }
    *one = wick_no_descriptor();
}
