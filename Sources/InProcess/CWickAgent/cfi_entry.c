#include "cfi_entry.h"

#include "unwind_arch.h"

enum : uint32_t {
    /// The length field that announces a 64-bit length; no linker emits it in .eh_frame.
    EXTENDED_LENGTH = 0xffffffff,
    /// Augmentation letters; there are seven known ones in all ABIs.
    LETTER_LIMIT = 16,
};

uintptr_t wick_cfi_read_pointer(wick_bytes *bytes, uint8_t encoding) {
    // The memory is mapped where it runs, so the field's address is the base of pc-relative ones.
    uintptr_t field = (uintptr_t)bytes->at;
    uint64_t value;
    switch (encoding & WICK_EH_POINTER_FORMAT) {
    case 0x00: // absptr
    case 0x04: // udata8
    case 0x0c: // sdata8
        value = wick_bytes_unsigned(bytes, 8);
        break;
    case 0x01: value = wick_bytes_uleb(bytes); break;
    case 0x02: value = wick_bytes_unsigned(bytes, 2); break;
    case 0x03: value = wick_bytes_unsigned(bytes, 4); break;
    case 0x09: value = (uint64_t)wick_bytes_sleb(bytes); break;
    case 0x0a: value = (uint64_t)(int16_t)wick_bytes_unsigned(bytes, 2); break;
    case 0x0b: value = (uint64_t)(int32_t)wick_bytes_unsigned(bytes, 4); break;
    default: bytes->failed = true; return 0;
    }
    switch (encoding & (WICK_EH_POINTER_BASE | WICK_EH_POINTER_INDIRECT)) {
    case 0: return value;
    case WICK_EH_POINTER_PC_RELATIVE: return field + value;
    default: bytes->failed = true; return 0;
    }
}

/// The body of the entry at `at` (after its length); empty for the terminator and nonsense.
static wick_bytes body_of_entry(wick_cfi_segment segment, const uint8_t *at) {
    wick_bytes bytes = {at, segment.end, at < segment.start || at >= segment.end};
    if (bytes.failed) {
        return (wick_bytes){.failed = true};
    }
    uint64_t byte_count = wick_bytes_unsigned(&bytes, 4);
    if (bytes.failed || byte_count < 4 || byte_count == EXTENDED_LENGTH) {
        return (wick_bytes){.failed = true};
    }
    return wick_bytes_cut(&bytes, byte_count);
}

const uint8_t *wick_cfi_next_entry(wick_cfi_segment segment, const uint8_t *at) {
    wick_bytes body = body_of_entry(segment, at);
    return body.failed || body.end == segment.end ? NULL : body.end;
}

/// Reads the augmentation data of a CIE, letter by letter; false for a letter that is not known,
/// as it may change the meaning of everything after it.
static bool read_augmentation(wick_bytes *body, const uint8_t *letters, wick_cfi_cie *cie) {
    if (*letters == 0) {
        return true;
    }
    if (*letters != 'z') {
        return false;
    }
    cie->has_augmentation_data = true;
    wick_bytes data = wick_bytes_cut(body, wick_bytes_uleb(body));
    for (letters++; *letters; letters++) {
        switch (*letters) {
        case 'L': wick_bytes_u8(&data); break;
        case 'P': {
            uint8_t encoding = wick_bytes_u8(&data);
            // Only its size matters, which base and indirection do not change.
            wick_cfi_read_pointer(&data, encoding & WICK_EH_POINTER_FORMAT);
            break;
        }
        case 'R': cie->pointer_encoding = wick_bytes_u8(&data); break;
        case 'S': cie->is_signal_frame = true; break;
        // Return addresses are signed with the other key (aarch64).
        case 'B': break;
        default: return false;
        }
    }
    return !data.failed;
}

static bool read_cie(wick_cfi_segment segment, const uint8_t *at, wick_cfi_cie *cie) {
    wick_bytes body = body_of_entry(segment, at);
    if (body.failed || wick_bytes_unsigned(&body, 4) != 0) {
        return false;
    }
    uint8_t version = wick_bytes_u8(&body);
    if (version != 1 && version != 3) {
        return false;
    }
    const uint8_t *letters = body.at;
    unsigned letter_count = 0;
    while (wick_bytes_u8(&body) != 0) {
        letter_count += 1;
        if (letter_count > LETTER_LIMIT) {
            return false;
        }
    }
    if (body.failed) {
        return false;
    }
    cie->code_alignment = wick_bytes_uleb(&body);
    cie->data_alignment = wick_bytes_sleb(&body);
    uint64_t column = version == 1 ? wick_bytes_u8(&body) : wick_bytes_uleb(&body);
    if (column != WICK_DWARF_RETURN_ADDRESS || !read_augmentation(&body, letters, cie)) {
        return false;
    }
    cie->instructions = body;
    return !body.failed;
}

bool wick_cfi_read_fde(wick_cfi_segment segment, const uint8_t *at, wick_cfi_cie *cie,
                       wick_cfi_fde *fde) {
    wick_bytes body = body_of_entry(segment, at);
    if (body.failed) {
        return false;
    }
    const uint8_t *field = body.at;
    uint64_t distance = wick_bytes_unsigned(&body, 4);
    if (distance == 0 || distance > (uint64_t)(field - segment.start)) {
        return false;
    }
    const uint8_t *cie_at = field - distance;
    if (cie->at != cie_at) {
        *cie = (wick_cfi_cie){.at = cie_at};
        cie->valid = read_cie(segment, cie_at, cie);
    }
    if (!cie->valid) {
        return false;
    }
    fde->pc = wick_cfi_read_pointer(&body, cie->pointer_encoding);
    fde->byte_count = wick_cfi_read_pointer(&body, cie->pointer_encoding & WICK_EH_POINTER_FORMAT);
    if (cie->has_augmentation_data) {
        wick_bytes_take(&body, wick_bytes_uleb(&body));
    }
    fde->instructions = body;
    return !body.failed;
}
