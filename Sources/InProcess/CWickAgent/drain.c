#include "drain.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "allocation.h"
#include "allocation_drain.h"
#include "blocked_threads.h"
#include "encoder.h"
#include "handler.h"
#include "images.h"
#include "pages.h"
#include "proc.h"
#include "recording.h"
#include "stack_bounds.h"
#include "stream.h"
#include "threads.h"

enum : uint32_t {
    FLUSH_BYTES = 64 << 10,
    /// Drains between two looks at what changes slowly: totals, ended threads.
    SLOW_DRAINS = 80,
    /// Between two looks at ended threads while allocations are followed, for which they have more memory.
    REAP_DRAINS = 8,
    /// And when there may soon be no slot for a new thread.
    CROWDED_DRAINS = 2,
    /// Between two totals in a stream.
    STREAM_DRAINS = 20,
    /// How long the last words wait for a slow reader; on the way out, when the host waits too.
    LAST_WORDS_MS = 1000,
    LAST_WORDS_AT_EXIT_MS = 200,
};

/// Pending chunks. Definitions are written before the samples that use them.
static wick_buffer modules, threads, samples, notes;
static uint64_t drains;
static int write_error;
static pid_t writer_tid;

static uint64_t time_unit_ns, start_ns, process_cpu_start_ns, agent_cpu_start_ns;
static uint64_t thread_count;
static struct {
    uint64_t samples, weight, lost_ring_full, lost_no_slot_start, lost_stack_table, truncated,
        frame_pointer_steps, lost_slow_reader;
} totals;
/// What others may read of the totals: samples, lost weight, threads.
static _Atomic uint64_t shown[3];

static uint64_t clock_ns(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void write_chunk(wick_chunk_type type, wick_buffer *buffer) {
    if (buffer->byte_count > 0 && !write_error) {
        write_error = wick_recording_write_chunk(type, buffer->bytes, buffer->byte_count);
    }
    buffer->byte_count = 0;
}

static void flush(void) {
    write_chunk(WICK_CHUNK_MODULES, &modules);
    write_chunk(WICK_CHUNK_THREADS, &threads);
    write_chunk(WICK_CHUNK_SAMPLES, &samples);
}

/// Called within a sample, so nothing may be flushed here.
static void add_module(const wick_image *image) {
    wick_buffer_varint(&modules, image->id);
    wick_buffer_varint(&modules, image->load_bias);
    wick_buffer_varint(&modules, image->start - image->load_bias);
    wick_buffer_varint(&modules, image->end - image->load_bias);
    wick_buffer_string(&modules, image->build_id, image->build_id_byte_count);
    wick_buffer_string(&modules, image->path, strlen(image->path));
}

static void add_thread(const wick_slot *slot) {
    if (threads.byte_count > WICK_CHUNK_BYTE_LIMIT / 2) {
        flush();
    }
    wick_buffer_varint(&threads, (uint64_t)slot->thread_index);
    wick_buffer_varint(&threads, (uint64_t)slot->tid);
    wick_buffer_string(&threads, slot->name, strlen(slot->name));
}

/// Names change, mostly soon after a thread begins: looked at after 1, 2, 4, … drains.
static void look_at_name(wick_slot *slot) {
    if (slot->name_wait > 0) {
        slot->name_wait--;
        return;
    }
    slot->name_wait = slot->name_tries < 10 ? 1u << slot->name_tries++ : 1u << 10;
    char name[16];
    wick_proc_thread_name(slot->tid, name);
    if (name[0] && strcmp(name, slot->name) != 0) {
        memcpy(slot->name, name, sizeof(name));
        add_thread(slot);
    }
}

static void welcome(wick_slot *slot) {
    slot->thread_index = (int64_t)thread_count++;
    slot->last_time = 0;
    slot->bounds_wait = slot->bounds_tries = slot->name_wait = slot->name_tries = 0;
    slot->silent = false;
    slot->name[0] = 0;
    wick_proc_thread_name(slot->tid, slot->name);
    add_thread(slot);
}

static void drain_sample(wick_slot *slot, const uint64_t *words) {
    uint64_t time = words[1] > start_ns ? (words[1] - start_ns) / time_unit_ns : 0;
    uint64_t elapsed = time > slot->last_time ? time - slot->last_time : 0;
    wick_raw_sample sample = {.frames = words + WICK_RING_HEAD_WORDS,
                              .frame_count = words[0],
                              .truncation = words[2] & 0xff,
                              .weight = words[2] >> 16,
                              .elapsed = elapsed};
    if (wick_stream_is_congested()) {
        totals.lost_slow_reader += sample.weight;
        return;
    }
    if (!wick_encoder_sample(&samples, &sample)) {
        totals.lost_stack_table += sample.weight;
        return;
    }
    slot->last_time += elapsed;
    totals.samples++;
    totals.weight += sample.weight;
    totals.truncated += sample.truncation != 0;
    totals.frame_pointer_steps += (words[2] >> 8 & 0xff) != 0;
}

static void drain_slot(wick_slot *slot) {
    uint64_t mask = wick_threads_ring_words() - 1;
    uint64_t read = atomic_load_explicit(&slot->read, memory_order_relaxed);
    slot->silent = read == slot->drain_to;
    if (slot->silent) {
        return;
    }
    if (slot->thread_index < 0) {
        welcome(slot);
    }
    wick_blocked_forget(slot->tid);
    wick_encoder_thread(&samples, (uint64_t)slot->thread_index);
    while (read != slot->drain_to) {
        const uint64_t *words = &slot->ring[read & mask];
        if ((uint32_t)words[0] == WICK_RING_PAD) {
            read += words[0] >> 32;
            continue;
        }
        if (samples.byte_count > WICK_CHUNK_BYTE_LIMIT - WICK_SAMPLE_BYTES_LIMIT ||
            modules.byte_count > WICK_CHUNK_BYTE_LIMIT / 4) {
            flush();
            wick_encoder_thread(&samples, (uint64_t)slot->thread_index);
        }
        drain_sample(slot, words);
        read += WICK_RING_HEAD_WORDS + words[0];
    }
    // Release: pairs with the handler's acquire; the words may be overwritten now.
    atomic_store_explicit(&slot->read, read, memory_order_release);
    wick_stack_bounds_look(slot);
    look_at_name(slot);
}

wick_buffer *wick_drain_definitions(void) {
    if (samples.byte_count > WICK_CHUNK_BYTE_LIMIT - WICK_SAMPLE_BYTES_LIMIT ||
        modules.byte_count > WICK_CHUNK_BYTE_LIMIT / 4) {
        flush();
    }
    return &samples;
}

void wick_drain_write(wick_chunk_type type, wick_buffer *buffer) {
    flush();
    write_chunk(type, buffer);
}

uint64_t wick_drain_thread_index(uint32_t number) {
    wick_slot *slot = wick_threads_slot(number);
    if (slot->thread_index < 0) {
        welcome(slot);
    } else if (slot->silent) {
        look_at_name(slot);
    }
    return (uint64_t)slot->thread_index;
}

bool wick_drain_stack_bounds(uint32_t number, uintptr_t sp, uintptr_t *low, uintptr_t *high) {
    wick_slot *slot = wick_threads_slot(number);
    uintptr_t none = 0;
    // The handler's latest is as good.
    atomic_compare_exchange_strong_explicit(&slot->seen_sp, &none, sp, memory_order_relaxed,
                                            memory_order_relaxed);
    wick_stack_bounds_look(slot);
    *low = atomic_load_explicit(&slot->stack_low, memory_order_relaxed);
    *high = atomic_load_explicit(&slot->stack_high, memory_order_relaxed);
    return *high != 0;
}

static uint64_t elapsed_ms(void) {
    return (clock_ns(CLOCK_MONOTONIC) - start_ns) / 1000000;
}

/// Whether the thread of a slot is gone, and its ring read to the end. A thread id can be in use again: the
/// slot that was silent is then the old one's.
static bool is_over(const wick_slot *slot) {
    return atomic_load_explicit(&slot->state, memory_order_acquire) == WICK_SLOT_LIVE &&
           slot->silent && syscall(SYS_tgkill, getpid(), slot->tid, 0) != 0 && errno == ESRCH &&
           // Whoever is gone writes no more, but may have written since the last drain.
           atomic_load_explicit(&slot->written, memory_order_acquire) ==
               atomic_load_explicit(&slot->read, memory_order_relaxed);
}

/// Frees the slots of threads that are gone: all together, as telling what they allocated takes a look at
/// every thread.
static void reap(void) {
    uint32_t count = wick_threads_count();
    bool is_any_over = false;
    for (uint32_t number = 0; number < count; number++) {
        wick_slot *slot = wick_threads_slot(number);
        slot->is_over = is_over(slot);
        is_any_over |= slot->is_over;
    }
    if (!is_any_over) {
        return;
    }
    wick_allocations_tell(elapsed_ms());
    for (uint32_t number = 0; number < count; number++) {
        wick_slot *slot = wick_threads_slot(number);
        if (slot->is_over) {
            slot->is_over = false;
            totals.lost_ring_full +=
                atomic_exchange_explicit(&slot->lost_ring_full, 0, memory_order_relaxed);
            wick_allocations_let_go(number);
            wick_threads_release(number);
        }
    }
}

static void drain_all(void) {
    uint32_t count = wick_threads_count();
    for (uint32_t number = 0; number < count; number++) {
        wick_slot *slot = wick_threads_slot(number);
        // Acquire: pairs with the handler's release.
        slot->drain_to = atomic_load_explicit(&slot->written, memory_order_acquire);
    }
    // After the ends are fixed: every module that these samples were in is known or still known.
    wick_images_refresh();
    for (uint32_t number = 0; number < count; number++) {
        wick_slot *slot = wick_threads_slot(number);
        if (atomic_load_explicit(&slot->state, memory_order_acquire) == WICK_SLOT_LIVE) {
            drain_slot(slot);
        }
    }
    wick_allocations_drain(elapsed_ms());
    if (wick_images_forget()) {
        wick_encoder_forget_addresses();
        wick_allocations_forget_addresses();
    }
}

static void add_stat(wick_stat key, uint64_t value) {
    wick_buffer_varint(&notes, key);
    wick_buffer_varint(&notes, value);
}

static void write_blocked(void) {
    static bool is_listed;
    wick_blocked_write(&notes);
    // An empty list takes an earlier one back.
    if ((is_listed || notes.byte_count > 0) && !write_error) {
        is_listed = notes.byte_count > 0;
        write_error = wick_recording_write_chunk(WICK_CHUNK_BLOCKED, notes.bytes, notes.byte_count);
    }
    notes.byte_count = 0;
}

static uint64_t lost_ring_full(void) {
    uint64_t lost = totals.lost_ring_full;
    for (uint32_t number = 0; number < wick_threads_count(); number++) {
        lost += atomic_load_explicit(&wick_threads_slot(number)->lost_ring_full,
                                     memory_order_relaxed);
    }
    return lost;
}

static void show_totals(void) {
    uint64_t lost = lost_ring_full() + wick_handler_lost_no_slot() - totals.lost_no_slot_start +
                    totals.lost_stack_table + totals.lost_slow_reader;
    atomic_store_explicit(&shown[0], totals.samples, memory_order_relaxed);
    atomic_store_explicit(&shown[1], lost, memory_order_relaxed);
    atomic_store_explicit(&shown[2], thread_count, memory_order_relaxed);
}

void wick_drain_totals(uint64_t *sample_count, uint64_t *lost, uint64_t *threads_seen) {
    *sample_count = atomic_load_explicit(&shown[0], memory_order_relaxed);
    *lost = atomic_load_explicit(&shown[1], memory_order_relaxed);
    *threads_seen = atomic_load_explicit(&shown[2], memory_order_relaxed);
}

static void write_stats(const wick_engine_type *engine) {
    add_stat(WICK_STAT_SAMPLES, totals.samples);
    add_stat(WICK_STAT_WEIGHT, totals.weight);
    add_stat(WICK_STAT_LOST_RING_FULL, lost_ring_full());
    add_stat(WICK_STAT_LOST_NO_SLOT, wick_handler_lost_no_slot() - totals.lost_no_slot_start);
    add_stat(WICK_STAT_LOST_STACK_TABLE, totals.lost_stack_table);
    add_stat(WICK_STAT_LOST_SLOW_READER, totals.lost_slow_reader);
    add_stat(WICK_STAT_TRUNCATED, totals.truncated);
    add_stat(WICK_STAT_FRAME_POINTER_STEPS, totals.frame_pointer_steps);
    add_stat(WICK_STAT_PROCESS_CPU_NS, clock_ns(CLOCK_PROCESS_CPUTIME_ID) - process_cpu_start_ns);
    add_stat(WICK_STAT_AGENT_CPU_NS, clock_ns(CLOCK_THREAD_CPUTIME_ID) - agent_cpu_start_ns);
    add_stat(WICK_STAT_THREADS, thread_count);
    add_stat(WICK_STAT_UNARMED_THREADS, engine && engine->unarmed ? engine->unarmed() : 0);
    wick_allocations_stats(add_stat);
    write_chunk(WICK_CHUNK_STATS, &notes);
    write_blocked();
}

static void add_info(const char *key, const char *value, size_t byte_count) {
    if (byte_count > 0) {
        wick_buffer_string(&notes, key, strlen(key));
        wick_buffer_string(&notes, value, byte_count);
    }
}

static void add_engine(const wick_session *session) {
    add_info("engine", session->engine->name, strlen(session->engine->name));
    add_info("fallback", session->fallback, strlen(session->fallback));
}

static void add_infos(const wick_session *session) {
    char text[4096];
    static const char agent[] = "wick " WICK_VERSION;
    add_info("agent", agent, sizeof(agent) - 1);
    size_t length = wick_proc_read("/proc/self/cmdline", text, sizeof(text));
    while (length > 0 && text[length - 1] == 0) {
        length--;
    }
    for (size_t i = 0; i < length; i++) {
        text[i] = text[i] ? text[i] : ' ';
    }
    add_info("command", text, length);
    ssize_t path = readlink("/proc/self/exe", text, sizeof(text));
    add_info("executable", text, path > 0 ? (size_t)path : 0);
    add_engine(session);
    add_info("allocations", session->words.allocations, strlen(session->words.allocations));
    add_info("references", session->words.references, strlen(session->words.references));
    struct utsname names;
    if (uname(&names) == 0) {
        add_info("kernel", names.release, strlen(names.release));
    }
    int size = snprintf(text, sizeof(text), "%ld", sysconf(_SC_NPROCESSORS_ONLN));
    add_info("cpus", text, (size_t)size);
}

void wick_drain_prepare(void) {
    wick_buffer *all[] = {&modules, &threads, &samples, &notes};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (!all[i]->bytes) {
            all[i]->bytes = wick_pages_map(WICK_CHUNK_BYTE_LIMIT + WICK_SAMPLE_BYTES_LIMIT);
        }
        all[i]->byte_count = 0;
    }
    if (!modules.bytes || !threads.bytes || !samples.bytes || !notes.bytes ||
        !wick_encoder_reset()) {
        write_error = ENOMEM;
        return;
    }
    write_error = 0;
    wick_images_renumber(add_module);
    wick_images_refresh();
    wick_stack_bounds_prepare();
    agent_cpu_start_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

int wick_drain_begin(const wick_session *session) {
    if (write_error) {
        return write_error;
    }
    thread_count = 0;
    drains = 0;
    memset(&totals, 0, sizeof(totals));
    show_totals();
    totals.lost_no_slot_start = wick_handler_lost_no_slot();
    wick_threads_reset();
    wick_allocations_begin();
    wick_blocked_reset();
    writer_tid = session->setup.writer_tid;
    time_unit_ns = wick_time_unit_ns((uint32_t)session->setup.period_ns);
    start_ns = clock_ns(CLOCK_MONOTONIC);
    process_cpu_start_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    wick_header header = {.start_realtime_ns = clock_ns(CLOCK_REALTIME),
                          .start_monotonic_ns = start_ns,
                          .pid = (uint32_t)getpid(),
                          .engine = session->engine->identity,
                          .process_start_ticks = wick_proc_start_ticks(),
                          .rate_hz = session->rate_hz,
                          .period_ns = (uint32_t)session->setup.period_ns};
    int error = wick_recording_write_header(&header);
    if (!error) {
        add_infos(session);
        write_chunk(WICK_CHUNK_INFO, &notes);
        flush();
        error = write_error;
    }
    return error;
}

void wick_drain_note_engine(const wick_session *session) {
    add_engine(session);
    write_chunk(WICK_CHUNK_INFO, &notes);
}

int wick_drain(const wick_engine_type *engine) {
    drains++;
    if (drains % SLOW_DRAINS == 2) {
        wick_blocked_look(engine->signal_number, writer_tid, false);
    }
    drain_all();
    show_totals();
    wick_stream_pump();
    if (drains % 2 == 0 || samples.byte_count > FLUSH_BYTES) {
        flush();
    }
    // Whoever watches a stream wants to know sooner.
    if (drains % (wick_stream_is_open() ? STREAM_DRAINS : SLOW_DRAINS) == 0) {
        write_stats(engine);
    }
    bool is_crowded = wick_threads_count() > wick_threads_limit() / 2;
    if (drains % (is_crowded                    ? CROWDED_DRAINS
                  : wick_allocation_is_in_use() ? REAP_DRAINS
                                                : SLOW_DRAINS) == 0) {
        reap();
    }
    if (drains % SLOW_DRAINS == 0) {
        // The host may have taken it in a way that we do not see.
        wick_handler_install(engine->signal_number);
    }
    return write_error;
}

void wick_drain_finish(const wick_engine_type *engine, wick_end_reason reason) {
    // On the way out every millisecond counts; and other threads may be gone already.
    if (engine && reason != WICK_END_EXITED && reason != WICK_END_EXEC) {
        wick_blocked_look(engine->signal_number, writer_tid, true);
    }
    drain_all();
    wick_allocations_write_last(elapsed_ms());
    flush();
    // After a full disk the totals and the end still fit into the reserve.
    write_error = 0;
    write_stats(engine);
    wick_buffer_varint(&notes, reason);
    wick_buffer_varint(&notes, clock_ns(CLOCK_MONOTONIC) - start_ns);
    write_chunk(WICK_CHUNK_END, &notes);
    bool is_leaving = reason == WICK_END_EXITED || reason == WICK_END_EXEC;
    wick_recording_close(is_leaving ? LAST_WORDS_AT_EXIT_MS : LAST_WORDS_MS);
}
