// SIGNAL-SAFE: calls only unwind_uncovered.c and the inline functions of unwind_memory.h; some 200
// bytes of stack.
#include "unwind.h"

#include "unwind_again.h"
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

static inline size_t slot_of(uintptr_t pc) {
    return (pc ^ pc >> 9) % WICK_RULE_CACHE_SLOT_COUNT;
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
    size_t slot = slot_of(pc);
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

// MARK: from calls

/// Where fp is saved, in words from the CFA, when it is pushed first of all.
enum : int32_t { FP_BESIDE_PC_WORDS = -2 };

/// Where the caller's fp was read in a step by `rule`, for `wick_known_frame`.
static inline uintptr_t fp_place_of(wick_cfi_rule rule, uintptr_t sp, uintptr_t cfa) {
    bool is_plain = !WICK_HAS_LINK_REGISTER && !rule.is_signal_frame &&
                    (rule.cfa == WICK_CFA_SP || rule.cfa == WICK_CFA_FP);
    if (is_plain && rule.fp == WICK_SAVED_SAME) {
        return WICK_SAME_FP;
    }
    if (is_plain && rule.fp == WICK_SAVED_AT_CFA && rule.fp_words == FP_BESIDE_PC_WORDS) {
        return WICK_FP_BESIDE_PC;
    }
    uintptr_t place = cfa + (uintptr_t)(intptr_t)rule.fp_words * sizeof(uintptr_t);
    return is_plain && rule.fp == WICK_SAVED_AT_CFA && place >= sp && place < cfa ? place
                                                                                  : WICK_MUST_STEP;
}

/// A walk under way. What it has found stands at the end of the array of frames, the innermost last;
/// what may be known from before at its beginning.
typedef struct {
    wick_known_walk *known;
    uint32_t fresh_count;
    wick_frame frame;
    /// Whether a frame was left by what is known of it, which is not all its registers.
    bool has_gaps;
} call_walk;

static inline wick_known_frame *outermost(const call_walk *walk) {
    return &walk->known->frames[WICK_KNOWN_FRAME_LIMIT - walk->fresh_count];
}

/// Adds the frame that the walk is at; false if there is no space.
static inline bool add_frame(call_walk *walk) {
    if (walk->fresh_count + walk->known->count >= WICK_KNOWN_FRAME_LIMIT) {
        return false;
    }
    walk->fresh_count++;
    uintptr_t mark = walk->frame.exact ? WICK_FRAME_MARK_INTERRUPTED : 0;
    *outermost(walk) = (wick_known_frame){.pc = walk->frame.pc | mark,
                                          .sp = walk->frame.sp,
                                          .fp = walk->frame.fp,
                                          .fp_place = WICK_MUST_STEP};
    return true;
}

/// Whether the walk before came to this frame too, as far as its registers are kept.
static inline bool is_known(const call_walk *walk) {
    const wick_known_walk *known = walk->known;
    if (known->count == 0) {
        return false;
    }
    const wick_known_frame *top = &known->frames[known->count - 1];
    return top->sp == walk->frame.sp && top->pc == walk->frame.pc && top->fp == walk->frame.fp;
}

/// Takes the known frames from `place` inward over, and goes to the outermost of them.
static inline void take_over(call_walk *walk, uint32_t place) {
    wick_known_walk *known = walk->known;
    uint32_t count = known->count - place;
    walk->fresh_count += count;
    wick_known_frame *to = outermost(walk);
    for (uint32_t i = count; i-- > 0;) {
        to[i] = known->frames[place + i];
    }
    known->count = place;
    if (count > 1) {
        walk->frame = (wick_frame){.pc = to->pc & ~WICK_FRAME_MARK_INTERRUPTED,
                                   .sp = to->sp,
                                   .fp = to->fp,
                                   .base = WICK_LOST,
                                   .context = WICK_LOST,
                                   .exact = to->pc & WICK_FRAME_MARK_INTERRUPTED};
        walk->has_gaps = true;
    }
}

/// Puts what was found behind the `known->count` frames that are still right.
static inline void join(call_walk *walk) {
    wick_known_walk *known = walk->known;
    known->unchanged = known->count;
    const wick_known_frame *from = outermost(walk);
    uint32_t run = known->count > 0 ? known->frames[known->count - 1].run : 0;
    for (uint32_t i = 0; i < walk->fresh_count; i++) {
        wick_known_frame *to = &known->frames[known->count];
        *to = from[i];
        run = to->fp_place == WICK_FP_BESIDE_PC && known->count > 0 ? run + 1 : 0;
        to->run = run;
        known->count++;
    }
}

/// What plain steps need and change.
typedef struct {
    uintptr_t pc, sp, fp, base, fp_place;
} plain_frame;

static inline uint64_t word_of(wick_cfi_rule rule) {
    uint64_t word;
    memcpy(&word, &rule, sizeof word);
    return word;
}

/// Whether a rule is that of a function that keeps a frame pointer, after its first instructions.
static inline bool is_by_frame_pointer(wick_cfi_rule rule) {
    const wick_cfi_rule usual = {.cfa = WICK_CFA_FP, .cfa_words = 2, .fp = WICK_SAVED_AT_CFA,
                                 .fp_words = FP_BESIDE_PC_WORDS, .base = WICK_SAVED_LOST};
    // The context register is no rule's.
    const wick_cfi_rule ignored = {.context = 3, .context_words = -1};
    return (word_of(rule) & ~word_of(ignored)) == word_of(usual);
}

/// The step of such a function. The processor need not wait for the rule to know where the words are.
static inline bool step_by_frame_pointer(plain_frame *frame, uintptr_t end) {
    uintptr_t fp = frame->fp;
    // The second word's address may have gone round.
    if (fp < frame->sp || fp % sizeof(fp) != 0 || fp >= end || fp + sizeof(fp) >= end) {
        return false;
    }
    *frame = (plain_frame){.pc = ((const uintptr_t *)fp)[1],
                           .sp = fp + 2 * sizeof(fp),
                           .fp = ((const uintptr_t *)fp)[0],
                           .base = WICK_LOST,
                           .fp_place = WICK_FP_BESIDE_PC};
    return true;
}

/// The step by a rule that needs no more than sp, fp and base, and memory that is read directly; false with
/// any other, and where that cannot be.
static inline bool step_plainly(wick_cfi_rule rule, plain_frame *frame, uintptr_t end) {
    bool is_by_fp = rule.cfa == WICK_CFA_FP;
    if ((!is_by_fp && rule.cfa != WICK_CFA_SP) || rule.fp > WICK_SAVED_AT_CFA ||
        rule.base == WICK_SAVED_AT_FP || rule.is_signal_frame) {
        return false;
    }
    const size_t word = sizeof(uintptr_t);
    uintptr_t cfa = (is_by_fp ? frame->fp : frame->sp) + (uintptr_t)(intptr_t)rule.cfa_words * word;
    uintptr_t fp_place = cfa + (uintptr_t)(intptr_t)rule.fp_words * word;
    uintptr_t base_place = cfa + (uintptr_t)(intptr_t)rule.base_words * word;
    // Also true of a lost fp.
    if (cfa <= frame->sp || cfa % word != 0 || cfa - word >= end ||
        (rule.fp == WICK_SAVED_AT_CFA && (fp_place < frame->sp || fp_place >= cfa)) ||
        (rule.base == WICK_SAVED_AT_CFA && (base_place < frame->sp || base_place >= cfa))) {
        return false;
    }
    frame->pc = *(const uintptr_t *)(cfa - word);
    frame->sp = cfa;
    frame->fp_place = WICK_SAME_FP;
    if (rule.fp == WICK_SAVED_AT_CFA) {
        frame->fp = *(const uintptr_t *)fp_place;
        frame->fp_place = rule.fp_words == FP_BESIDE_PC_WORDS ? WICK_FP_BESIDE_PC : fp_place;
    }
    if (rule.base != WICK_SAVED_SAME) {
        frame->base =
            rule.base == WICK_SAVED_AT_CFA ? *(const uintptr_t *)base_place : WICK_LOST;
    }
    return true;
}

/// Goes on as long as the rules are at hand and plain. The walk's frame was added; true if the one that it is
/// at now was too, false if that one may be known or has no place. `end` is the reader's.
static inline bool go_plainly(call_walk *walk, const wick_rule_cache *cache, uintptr_t end) {
    wick_known_walk *known = walk->known;
    wick_known_frame *added = outermost(walk);
    const wick_known_frame *top = known->frames + known->count;
    plain_frame frame = {walk->frame.pc, walk->frame.sp, walk->frame.fp, walk->frame.base, 0};
    bool is_added = true;
    while (is_added) {
        size_t slot = slot_of(frame.pc - 1);
        wick_cfi_rule rule;
        memcpy(&rule, &cache->slots[slot].rule, sizeof rule);
        plain_frame caller = frame;
        if (cache->slots[slot].pc != frame.pc - 1 ||
            !(__builtin_expect(is_by_frame_pointer(rule), 1)
                  ? step_by_frame_pointer(&caller, end)
                  : step_plainly(rule, &caller, end)) ||
            !wick_may_be_code(caller.pc)) {
            break;
        }
        frame = caller;
        added->fp_place = frame.fp_place;
        while (top > known->frames && top[-1].sp < frame.sp) {
            top--;
        }
        is_added = added - 1 >= top && (top == known->frames || top[-1].sp != frame.sp);
        if (is_added) {
            *--added = (wick_known_frame){
                .fp = frame.fp, .pc = frame.pc, .sp = frame.sp, .fp_place = WICK_MUST_STEP};
        }
    }
    walk->frame = (wick_frame){.pc = frame.pc,
                               .sp = frame.sp,
                               .fp = frame.fp,
                               .base = frame.base,
                               .context = WICK_LOST};
    walk->fresh_count = (uint32_t)(known->frames + WICK_KNOWN_FRAME_LIMIT - added);
    known->count = (uint32_t)(top - known->frames);
    return is_added;
}

void wick_unwind_call(const wick_registers *registers, const wick_stack_memory *memory,
                      wick_known_walk *known) {
    const wick_unwind_list *list = wick_unwind_published();
    uint64_t generation = list ? list->generation : 0;
    call_walk walk = {.known = known,
                      .frame = {.pc = registers->pc,
                                .sp = registers->sp,
                                .fp = registers->fp,
                                .base = registers->base,
                                .context = registers->context}};
    wick_stack_reader reader = wick_stack_reader_make(memory, registers->sp);
    refresh(memory->cache, list);
    if (known->generation != generation || known->truncation || !known->is_anchored ||
        (known->count > 0 && known->frames[0].sp > memory->high)) {
        known->count = 0;
    }
    known->generation = generation;
    known->truncation = 0;
    known->is_anchored = false;
    wick_step step = WICK_STEP_DONE;
    while (step == WICK_STEP_DONE) {
        while (known->count > 0 && known->frames[known->count - 1].sp < walk.frame.sp) {
            known->count--;
        }
        if (is_known(&walk)) {
            uint32_t place = wick_known_walk_verify(known);
            if (place == 0) {
                known->is_anchored = true;
                join(&walk);
                return;
            }
            take_over(&walk, place);
        } else if (!add_frame(&walk)) {
            break;
        }
        known->is_anchored = false;
        if (!WICK_HAS_LINK_REGISTER && !walk.frame.exact &&
            !go_plainly(&walk, memory->cache, reader.direct_end)) {
            continue;
        }
        wick_cfi_rule rule;
        bool is_unknown = false;
        uint32_t frame_pointer_steps = 0;
        if (!find_rule(list, memory->cache, &reader, &walk.frame, &rule, &is_unknown)) {
            step = WICK_STEP_IMPLAUSIBLE;
        } else if (rule.cfa == WICK_CFA_UNCOVERED) {
            step = wick_step_uncovered(list, &reader, &walk.frame, &frame_pointer_steps);
        } else {
            bool is_exact = walk.frame.exact;
            uintptr_t sp = walk.frame.sp;
            step = step_by_rule(rule, &reader, &walk.frame);
            if (step == WICK_STEP_DONE && !is_exact) {
                outermost(&walk)->fp_place = fp_place_of(rule, sp, walk.frame.sp);
            }
            known->is_anchored = rule.cfa == WICK_CFA_END;
        }
    }
    // What is left of the walk before was not met.
    known->count = 0;
    if (walk.has_gaps && step != WICK_STEP_END) {
        wick_unwind_call(registers, memory, known);
        return;
    }
    join(&walk);
    known->truncation = truncation_of(step);
}
