// SIGNAL-SAFE: calls only unwind_uncovered.c and the inline functions of unwind_memory.h; some 200
// bytes of stack.
#include "unwind.h"

#include "unwind_memory.h"
#include "unwind_modules.h"
#include "unwind_uncovered.h"

/// The rule of a frame's code; `*is_unknown` is set if it is in no module. False if the frame is none:
/// a return address in no module where no call ends and no handler returns to.
static inline bool search(const wick_unwind_list *list, const wick_stack_reader *reader,
                          const wick_frame *frame, uintptr_t pc, wick_cfi_rule *rule,
                          bool *is_unknown) {
    const wick_unwind_entry *entry = wick_unwind_find(list, pc);
    if (entry && entry->table) {
        *rule = wick_cfi_table_find(entry->table, (uint32_t)(pc - entry->text_start));
        return true;
    }
    *is_unknown |= !entry;
    *rule = (wick_cfi_rule){.cfa = WICK_CFA_UNCOVERED};
    return entry || frame->exact || !reader->scratch || wick_follows_call(frame->pc) ||
           wick_is_signal_return(frame->pc);
}

/// `search`, with what was found kept.
static inline bool find_rule(const wick_unwind_list *list, wick_rule_cache *cache,
                             const wick_stack_reader *reader, const wick_frame *frame,
                             wick_cfi_rule *rule, bool *is_unknown) {
    uintptr_t pc = frame->pc - !frame->exact;
    if (!cache) {
        return search(list, reader, frame, pc, rule, is_unknown);
    }
    // An empty slot's pc is 0, its rule "uncovered": true of address 0.
    size_t slot = (pc ^ pc >> 9) % WICK_RULE_CACHE_SLOT_COUNT;
    if (cache->slots[slot].pc == pc) {
        memcpy(rule, &cache->slots[slot].rule, sizeof *rule);
        return true;
    }
    if (!search(list, reader, frame, pc, rule, is_unknown)) {
        return false;
    }
    cache->slots[slot].pc = pc;
    memcpy(&cache->slots[slot].rule, rule, sizeof *rule);
    return true;
}

/// Empties a cache that was filled from another list.
static void refresh(wick_rule_cache *cache, const wick_unwind_list *list) {
    uint64_t generation = list ? list->generation : 0;
    if (!cache || cache->generation == generation) {
        return;
    }
    for (size_t i = 0; i < WICK_RULE_CACHE_SLOT_COUNT; i++) {
        cache->slots[i].pc = 0;
        cache->slots[i].rule = 0;
        // Else the compiler makes a call of memset of it.
        __asm__ volatile("" ::: "memory");
    }
    cache->generation = generation;
}

wick_step wick_step_signal(wick_stack_reader *reader, wick_frame *frame) {
    wick_frame interrupted = {.exact = true};
    const struct {
        uintptr_t offset;
        uintptr_t *value;
    } registers[] = {{WICK_SIGNAL_FRAME_CONTEXT, &interrupted.context},
                     {WICK_SIGNAL_FRAME_FP, &interrupted.fp},
                     {WICK_SIGNAL_FRAME_BASE, &interrupted.base},
                     {WICK_SIGNAL_FRAME_SP, &interrupted.sp},
                     {WICK_SIGNAL_FRAME_PC, &interrupted.pc}};
    for (size_t i = 0; i < sizeof registers / sizeof registers[0]; i++) {
        if (!wick_stack_read(reader, frame->sp + registers[i].offset, frame->sp,
                             registers[i].value)) {
            return WICK_STEP_UNREADABLE;
        }
    }
    if (!wick_may_be_code(interrupted.pc)) {
        return WICK_STEP_IMPLAUSIBLE;
    }
    // Its stack may be another one, above or below; the number of frames bounds the walk.
    *frame = interrupted;
    return WICK_STEP_DONE;
}

/// The caller's value of a register that is now `value`.
static inline bool restore(uint32_t kind, int32_t words, uintptr_t value, uintptr_t cfa,
                           const wick_frame *frame, wick_stack_reader *reader,
                           uintptr_t *restored) {
    uintptr_t offset = (uintptr_t)(intptr_t)words * sizeof(uintptr_t);
    switch ((wick_saved_kind)kind) {
    case WICK_SAVED_SAME: *restored = value; return true;
    case WICK_SAVED_AT_CFA: return wick_stack_read(reader, cfa + offset, frame->sp, restored);
    case WICK_SAVED_AT_FP: return wick_stack_read(reader, frame->fp + offset, frame->sp, restored);
    case WICK_SAVED_LOST: *restored = WICK_LOST; return true;
    }
    return false;
}

/// Goes to the caller by a rule of .eh_frame.
static inline wick_step step_by_rule(wick_cfi_rule rule, wick_stack_reader *reader,
                                     wick_frame *frame) {
    uintptr_t cfa = (uintptr_t)(intptr_t)rule.cfa_words * sizeof(uintptr_t);
    switch ((wick_cfa_kind)rule.cfa) {
    case WICK_CFA_SP: cfa += frame->sp; break;
    case WICK_CFA_FP: cfa += frame->fp; break;
    case WICK_CFA_BASE: cfa += frame->base; break;
    case WICK_CFA_PLT: cfa += frame->sp + ((frame->pc & 15) >= rule.parameter ? 8 : 0); break;
    case WICK_CFA_AT_SP:
    case WICK_CFA_AT_FP: {
        uintptr_t base = rule.cfa == WICK_CFA_AT_SP ? frame->sp : frame->fp;
        if (!wick_stack_read(reader, base + cfa, frame->sp, &cfa)) {
            return WICK_STEP_UNREADABLE;
        }
        cfa += rule.parameter;
        break;
    }
    case WICK_CFA_SIGNAL: return wick_step_signal(reader, frame);
    case WICK_CFA_END: return WICK_STEP_END;
    case WICK_CFA_UNCOVERED:
    case WICK_CFA_UNKNOWN: return WICK_STEP_NO_RULE;
    }
    // Also true of a lost register, and what keeps the walk from going round. Where calls push
    // nothing, a leaf may use no stack.
    bool may_be_empty = WICK_HAS_LINK_REGISTER && frame->exact;
    if (cfa < frame->sp + !may_be_empty || cfa % sizeof(uintptr_t) != 0) {
        return WICK_STEP_IMPLAUSIBLE;
    }
    wick_frame caller = {.sp = cfa, .exact = rule.is_signal_frame};
    if (!restore(rule.fp, rule.fp_words, frame->fp, cfa, frame, reader, &caller.fp) ||
        !restore(rule.base, rule.base_words, frame->base, cfa, frame, reader, &caller.base) ||
        !restore(rule.context, rule.context_words, frame->context, cfa, frame, reader,
                 &caller.context)) {
        return WICK_STEP_UNREADABLE;
    }
    if (WICK_HAS_LINK_REGISTER) {
        // Whoever has called has lost its own.
        if (rule.base == WICK_SAVED_SAME && !frame->exact) {
            return WICK_STEP_IMPLAUSIBLE;
        }
        caller.pc = caller.base & WICK_ADDRESS_MASK;
        caller.base = WICK_LOST;
    } else if (!wick_stack_read(reader, cfa - sizeof(uintptr_t), frame->sp, &caller.pc)) {
        return WICK_STEP_UNREADABLE;
    }
    if (caller.pc == 0) {
        return WICK_STEP_END;
    }
    if (!wick_may_be_code(caller.pc)) {
        return WICK_STEP_IMPLAUSIBLE;
    }
    *frame = caller;
    return WICK_STEP_DONE;
}

static uint32_t truncation_of(wick_step step) {
    switch (step) {
    case WICK_STEP_DONE: return WICK_TRUNCATED_DEPTH;
    case WICK_STEP_END: return 0;
    case WICK_STEP_UNREADABLE: return WICK_TRUNCATED_MEMORY;
    case WICK_STEP_IMPLAUSIBLE: return WICK_TRUNCATED_BAD_FRAME;
    case WICK_STEP_NO_RULE: return WICK_TRUNCATED_NO_RULE;
    }
    return WICK_TRUNCATED_BAD_FRAME;
}

wick_walk wick_unwind_over(const wick_unwind_list *list, const wick_registers *registers,
                           const wick_stack_memory *memory, uintptr_t *frames, size_t limit) {
    wick_walk walk = {0};
    wick_frame frame = {.pc = registers->pc,
                        .sp = registers->sp,
                        .fp = registers->fp,
                        .base = registers->base,
                        .context = registers->context,
                        .exact = true,
                        .running = true};
    wick_stack_reader reader = wick_stack_reader_make(memory, frame.sp);
    refresh(memory->cache, list);
    wick_step step = WICK_STEP_DONE;
    while (step == WICK_STEP_DONE && walk.frame_count < limit) {
        wick_cfi_rule rule;
        if (!find_rule(list, memory->cache, &reader, &frame, &rule, &walk.met_unknown_code)) {
            step = WICK_STEP_IMPLAUSIBLE;
            break;
        }
        bool interrupted_before = frame.exact && walk.frame_count > 0;
        frames[walk.frame_count] =
            frame.pc | (interrupted_before ? WICK_FRAME_MARK_INTERRUPTED : 0);
        walk.frame_count += 1;
        step = rule.cfa == WICK_CFA_UNCOVERED
                   ? wick_step_uncovered(list, &reader, &frame, &walk.frame_pointer_steps)
                   : step_by_rule(rule, &reader, &frame);
    }
    walk.truncation = truncation_of(step);
    return walk;
}

wick_walk wick_unwind(const wick_registers *registers, const wick_stack_memory *memory,
                      uintptr_t *frames, size_t limit) {
    return wick_unwind_over(wick_unwind_published(), registers, memory, frames, limit);
}
