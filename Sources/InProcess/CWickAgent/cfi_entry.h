// The entries of .eh_frame (LSB Core 5.0 §10.6.1, on top of DWARF 5 §6.4.1):
//
//   CIE   what many functions share: factors, encodings, first instructions
//   FDE   one function's extent and its instructions, with a pointer back to its CIE
//
// Normal threads only. Nothing outside the given segment is read.
#pragma once

#include "cfi_bytes.h"

/// Pointer encodings, DW_EH_PE_*.
enum : uint8_t {
    WICK_EH_POINTER_FORMAT = 0x0f,
    WICK_EH_POINTER_BASE = 0x70,
    WICK_EH_POINTER_PC_RELATIVE = 0x10,
    WICK_EH_POINTER_INDIRECT = 0x80,
    WICK_EH_POINTER_OMIT = 0xff,
};

typedef struct {
    /// Where it was read; NULL if nothing was read yet. The entry of many FDEs in a row.
    const uint8_t *at;
    bool valid;
    uint64_t code_alignment;
    int64_t data_alignment;
    uint8_t pointer_encoding;
    bool has_augmentation_data;
    /// 'S': the frame of a signal trampoline.
    bool is_signal_frame;
    wick_bytes instructions;
} wick_cfi_cie;

typedef struct {
    uintptr_t pc;
    uint64_t byte_count;
    wick_bytes instructions;
} wick_cfi_fde;

/// The bytes that may be read: one mapped segment.
typedef struct {
    const uint8_t *start, *end;
} wick_cfi_segment;

/// Reads a pointer whose field is at `bytes->at`; fails for encodings that are neither absolute
/// nor relative to the field.
uintptr_t wick_cfi_read_pointer(wick_bytes *bytes, uint8_t encoding);

/// Reads the entry at `at` as an FDE. `cie` is a cache: on entry any CIE read from the same
/// segment (or zeros), on return that of this FDE. Returns false for a CIE, the terminator, and
/// what cannot be understood.
bool wick_cfi_read_fde(wick_cfi_segment segment, const uint8_t *at, wick_cfi_cie *cie,
                       wick_cfi_fde *fde);

/// Steps over the entry at `at`, NULL after the last.
const uint8_t *wick_cfi_next_entry(wick_cfi_segment segment, const uint8_t *at);
