// The recording: what `libwick.so` writes and `WickRecording` reads. This header is the
// specification. All integers are little-endian; nothing is aligned.
//
//   file    = segment+            a process (or the next image after an exec) appends a segment
//   segment = header chunk*
//   chunk   = chunk header, payload
//
//   header  0        8         12        16            24              32      36
//           +--------+---------+---------+-------------+---------------+-------+--------+
//           | magic  | version | bytes   | realtime ns | monotonic ns  | pid   | engine |
//           +--------+---------+---------+-------------+---------------+-------+--------+
//           36+4     40                48          52        56         60         64
//                    | process start   | rate Hz   | period  | flags    | crc32c   |
//                    +-----------------+-----------+---------+----------+----------+
//
//   chunk   0      4            8          12       16
//           +------+------------+----------+--------+------------------------
//           | type | byte count | sequence | crc32c | payload (byte count) …
//           +------+------------+----------+--------+------------------------
//
// A chunk's crc32c (Castagnoli, reflected, init and xor-out 0xffffffff) covers type, byte count,
// sequence and payload. Sequence numbers start at 0 in each segment and rise by one, so a lost
// chunk is seen. Readers skip chunks of unknown type. A file cut anywhere is read up to its last
// whole chunk.
//
// varint  = LEB128, at most 10 bytes.   zigzag = (n << 1) ^ (n >> 63) as varint.
// string  = varint byte count, then UTF-8 bytes without a terminator.
#pragma once

#include <stddef.h>
#include <stdint.h>

/// The version of agent and tool, as both print it.
#define WICK_VERSION "0.1.0"

/// "\x89WICK\r\n\x1a": not text, and damaged by any newline translation (as PNG's magic).
#define WICK_MAGIC_BYTES {0x89, 'W', 'I', 'C', 'K', '\r', '\n', 0x1a}

enum : uint32_t {
    WICK_FORMAT_VERSION = 2,
    /// Upper bound of a chunk's payload, so that a reader's memory is bounded.
    WICK_CHUNK_BYTE_LIMIT = 1u << 20,
};

/// How the agent was triggered.
typedef enum __attribute__((enum_extensibility(open), swift_name("RecordedEngine"))) : uint32_t {
    /// Per-thread perf task-clock event with a synchronous SIGTRAP.
    WICK_ENGINE_PERF_SIGTRAP __attribute__((swift_name("perfSigtrap"))) = 1,
    /// Per-thread perf task-clock event with F_SETSIG.
    WICK_ENGINE_PERF_SIGNAL __attribute__((swift_name("perfSignal"))) = 2,
    /// Per-thread POSIX CPU timer; weight = overruns + 1.
    WICK_ENGINE_THREAD_TIMER __attribute__((swift_name("threadTimer"))) = 3,
    /// One process-wide ITIMER_PROF.
    WICK_ENGINE_PROCESS_TIMER __attribute__((swift_name("processTimer"))) = 4,
    /// Per-thread perf task-clock event of another process, which reads the kernel's call chains:
    /// no agent is in the process. Callers are found by frame pointers only.
    WICK_ENGINE_PERF_OUTSIDE __attribute__((swift_name("perfOutside"))) = 5,
} wick_engine;

/// Bits of the header's `flags`.
enum : uint32_t {
    /// Time spent in the kernel was not sampled.
    WICK_FLAG_USER_ONLY = 1u << 0,
};

typedef struct __attribute__((packed, swift_name("RecordedHeader"))) {
    uint8_t magic[8];
    uint32_t version;
    /// Size of this header; chunks start here (from the start of the segment).
    uint32_t header_byte_count __attribute__((swift_name("headerByteCount")));
    /// CLOCK_REALTIME and CLOCK_MONOTONIC at one instant, the origin of sample times.
    uint64_t start_realtime_ns __attribute__((swift_name("startRealtimeNanoseconds")));
    uint64_t start_monotonic_ns __attribute__((swift_name("startMonotonicNanoseconds")));
    uint32_t pid;
    wick_engine engine;
    /// Field 22 of /proc/self/stat: with the pid, the identity of the process (kept by exec).
    uint64_t process_start_ticks __attribute__((swift_name("processStartTicks")));
    uint32_t rate_hz __attribute__((swift_name("rateHertz")));
    /// CPU time that one unit of weight stands for.
    uint32_t period_ns __attribute__((swift_name("periodNanoseconds")));
    uint32_t flags;
    /// Over bytes 0..<60.
    uint32_t crc32c;
} wick_header;

_Static_assert(sizeof(wick_header) == 64, "the header's size is part of the format");
_Static_assert(offsetof(wick_header, start_realtime_ns) == 16, "");
_Static_assert(offsetof(wick_header, pid) == 32, "");
_Static_assert(offsetof(wick_header, process_start_ticks) == 40, "");
_Static_assert(offsetof(wick_header, rate_hz) == 48, "");
_Static_assert(offsetof(wick_header, crc32c) == 60, "");

typedef enum __attribute__((enum_extensibility(open), swift_name("ChunkType"))) : uint32_t {
    /// (string key, string value)*: "agent", "command", "executable", "engine" (as shown to
    /// people), "fallback" (why a better engine was not used), "kernel", "cpus", …; the last value
    /// of a key counts, as an engine may take over from another.
    WICK_CHUNK_INFO __attribute__((swift_name("info"))) = 1,
    /// (varint module id ≥ 1, varint load bias, varint start, varint end, string build-id bytes,
    /// string path)*. start and end are module-relative: the extent of the PT_LOAD segments.
    /// Runtime address = load bias + module-relative address (wrapping).
    /// Ids rise by one from 1; only modules with samples have one. The vdso's path is "[vdso]".
    WICK_CHUNK_MODULES __attribute__((swift_name("modules"))) = 2,
    /// (varint thread index ≥ 0, varint tid, string name)*. A later entry renames its thread.
    WICK_CHUNK_THREADS __attribute__((swift_name("threads"))) = 3,
    /// Records, see `wick_record_kind`.
    WICK_CHUNK_SAMPLES __attribute__((swift_name("samples"))) = 4,
    /// (varint key, varint value)*: running totals, see `wick_stat`; the last value counts.
    WICK_CHUNK_STATS __attribute__((swift_name("stats"))) = 5,
    /// varint end reason, varint ns since start_monotonic_ns. A segment without it was cut short.
    WICK_CHUNK_END __attribute__((swift_name("end"))) = 6,
    /// (varint tid, varint CPU ns, string name)*: threads that block the engine's signal, which no
    /// sample can be of, and the CPU time that they used since this was seen. The last list counts.
    WICK_CHUNK_BLOCKED __attribute__((swift_name("blocked"))) = 7,
    /// What was allocated and freed since the previous chunk of this type; see `wick_allocation_row`.
    WICK_CHUNK_ALLOCATIONS __attribute__((swift_name("allocations"))) = 8,
    /// What was live at one moment; see `wick_allocation_row`.
    WICK_CHUNK_LIVE __attribute__((swift_name("live"))) = 9,
    /// (varint type id ≥ 1, varint `wick_type_kind`, string name)*: types of heap objects, as the
    /// process's own memory names them. An id without a name is no type.
    WICK_CHUNK_TYPES __attribute__((swift_name("types"))) = 10,
} wick_chunk_type;

typedef struct __attribute__((packed, swift_name("ChunkHeader"))) {
    wick_chunk_type type;
    uint32_t payload_byte_count __attribute__((swift_name("payloadByteCount")));
    uint32_t sequence;
    uint32_t crc32c;
} wick_chunk_header;

_Static_assert(sizeof(wick_chunk_header) == 16, "the chunk header's size is part of the format");

/// A SAMPLES payload is a run of records. Each begins with a varint tag whose low two bits are
/// the kind and whose other bits (tag >> 2) are the operand. Stacks are nodes of one tree: node 0 is
/// the root, a stack is the path from it. A cursor stands on a node, at first on the root.
///
///   place    operand even: operand >> 1 = thread index; samples that follow belong to it.
///            operand odd: the cursor moves to node (latest node id − operand >> 1).
///   frame    a new frame, and a new node for it below the cursor, where the cursor moves.
///            operand = module id << 1 | 1 if it is a return address, else an instruction.
///            Module id 0: a varint follows, module id << 3 | frame kind; id 0 is in no module.
///            Then zigzag (address − previous address that was defined with this module id, at
///            first 0), wrapping. In no module the address is the runtime address.
///   node     a new node below the cursor, where the cursor moves, for the known frame
///            (latest frame id − operand).
///   sample   the cursor's stack. operand = time << 1 | weighted, time since the thread's previous
///            sample (at first: since the segment's start) in units of `wick_time_unit_ns`; if
///            weighted: varint weight ≥ 2, else the weight is 1.
///
/// Frame ids rise by one from 0, node ids by one from 1. All of it, but for the thread in force,
/// carries over from chunk to chunk; after a lost chunk no samples of the segment can be read.
typedef enum __attribute__((enum_extensibility(open), swift_name("RecordKind"))) : uint32_t {
    WICK_RECORD_PLACE __attribute__((swift_name("place"))) = 0,
    WICK_RECORD_FRAME __attribute__((swift_name("frame"))) = 1,
    WICK_RECORD_NODE __attribute__((swift_name("node"))) = 2,
    WICK_RECORD_SAMPLE __attribute__((swift_name("sample"))) = 3,
} wick_record_kind;

/// An ALLOCATIONS payload:
///
///   varint ms since start_monotonic_ns, varint mark (0 or 1), varint interval, row*
///
/// `interval` is the mean number of bytes between two followed allocations from now on; 1: every
/// allocation is followed; 0: none is any more. A row counts what was added to one key: the stack,
/// the thread *that allocated*, and (but in an `allocated` row) the type of the objects.
///
///   varint node << 2 | kind      a node of the tree of stacks that an earlier SAMPLES chunk defined,
///                                the call of the allocating function its last frame
///   varint thread index
///   varint type id               but for `allocated`; 0: unknown, or no type
///   varint followed              how many were followed
///   varint objects, varint bytes what they stand for: the unbiased estimate of all, a whole number
///                                (rounded from running totals, so that sums are right); equal to
///                                what was followed if the interval is 1. Not for ARC rows.
///   zigzag objects after, zigzag bytes after
///                                by how much that part of the key's running totals has changed that
///                                came after the high-water mark of live bytes. Not for ARC rows.
///   varint temporary, varint lifetime
///                                of `freed` rows only: objects that were freed before their thread
///                                allocated another; and the sum of the objects' lives in ms.
///
/// Rows of one key add up, within a chunk too: several threads may have freed what one allocated.
///
/// live = allocated − freed; live at the high-water mark = (allocated − after) − (freed − after). With
/// a mark of 1 there is a new high-water mark, later than all that earlier chunks told: what came after
/// is 0 for all keys, before the rows of this chunk are added.
///
/// A LIVE payload: varint ms, then (varint node, varint thread index, varint type id, varint ms of the
/// allocation, varint followed, varint objects, varint bytes)*. Chunks of the same ms are one list;
/// the last list counts. Its objects are those of ALLOCATIONS that are not freed, with their types.
typedef enum __attribute__((enum_extensibility(open), swift_name("AllocationRowKind"))) : uint32_t {
    WICK_ROW_ALLOCATED __attribute__((swift_name("allocated"))) = 0,
    WICK_ROW_FREED __attribute__((swift_name("freed"))) = 1,
    /// References to objects of Swift classes that were taken and given up.
    WICK_ROW_RETAINED __attribute__((swift_name("retained"))) = 2,
    WICK_ROW_RELEASED __attribute__((swift_name("released"))) = 3,
} wick_allocation_row;

/// How a type was found, and so how its name reads.
typedef enum __attribute__((enum_extensibility(open), swift_name("RecordedTypeKind"))) : uint32_t {
    /// A Swift class, as "app.Node" or "Swift._ContiguousArrayStorage<Swift.Int>".
    WICK_TYPE_SWIFT_CLASS __attribute__((swift_name("swiftClass"))) = 1,
    /// What the Swift runtime or compiler makes by itself: "closure context", "error box", "task".
    WICK_TYPE_SWIFT_RUNTIME __attribute__((swift_name("swiftRuntime"))) = 2,
    /// A C++ class with virtual functions, as its type_info names it: mangled, "N3app4NodeE".
    WICK_TYPE_CPP_CLASS __attribute__((swift_name("cppClass"))) = 3,
} wick_type_kind;

/// Unit of sample times: a 64th of the period, but no less than 1 µs.
static inline uint64_t wick_time_unit_ns(uint32_t period_ns) {
    return period_ns / 64 > 1000 ? period_ns / 64 : 1000;
}

/// What a frame's address means, which decides how it is looked up.
typedef enum __attribute__((enum_extensibility(open), swift_name("RecordedFrameKind"))) : uint32_t {
    /// The interrupted instruction: looked up as it is.
    WICK_FRAME_INSTRUCTION __attribute__((swift_name("instruction"))) = 0,
    /// A return address: looked up at address − 1, inside the call.
    WICK_FRAME_RETURN_ADDRESS __attribute__((swift_name("returnAddress"))) = 1,
    /// The resume point of an async function: looked up as it is.
    WICK_FRAME_ASYNC_RESUME __attribute__((swift_name("asyncResume"))) = 2,
    /// No code: the stack is cut here; module id 0 and address = `wick_truncation`.
    WICK_FRAME_TRUNCATED __attribute__((swift_name("truncated"))) = 3,
    /// Code that a signal interrupted; the frames towards the leaf are those of its handler.
    /// Looked up as it is.
    WICK_FRAME_INTERRUPTED __attribute__((swift_name("interrupted"))) = 4,
} wick_frame_kind;

/// Why a stack ends before its thread's entry.
typedef enum __attribute__((enum_extensibility(open), swift_name("TruncationReason"))) : uint32_t {
    /// More frames than the agent keeps.
    WICK_TRUNCATED_DEPTH __attribute__((swift_name("depth"))) = 1,
    /// The stack memory could not be read.
    WICK_TRUNCATED_MEMORY __attribute__((swift_name("memory"))) = 2,
    /// The next frame was not plausible (no code there, or not further up the stack).
    WICK_TRUNCATED_BAD_FRAME __attribute__((swift_name("badFrame"))) = 3,
    /// The unwind rule of this code cannot be followed.
    WICK_TRUNCATED_NO_RULE __attribute__((swift_name("noRule"))) = 4,
} wick_truncation;

/// Keys of a STATS chunk. All are running totals of the segment.
typedef enum __attribute__((enum_extensibility(open), swift_name("RecordedStatistic"))) : uint32_t {
    /// Sample records written, and the sum of their weights.
    WICK_STAT_SAMPLES __attribute__((swift_name("samples"))) = 1,
    WICK_STAT_WEIGHT __attribute__((swift_name("weight"))) = 2,
    /// Weight lost because a thread's ring was full.
    WICK_STAT_LOST_RING_FULL __attribute__((swift_name("lostRingFull"))) = 3,
    /// Weight lost because no slot was left for a new thread.
    WICK_STAT_LOST_NO_SLOT __attribute__((swift_name("lostNoSlot"))) = 4,
    /// Weight lost because the agent's table of stacks was full.
    WICK_STAT_LOST_STACK_TABLE __attribute__((swift_name("lostStackTable"))) = 5,
    /// Samples whose stack is marked truncated.
    WICK_STAT_TRUNCATED __attribute__((swift_name("truncated"))) = 6,
    /// Samples in which a frame was stepped by frame pointer because no unwind rule covered it.
    WICK_STAT_FRAME_POINTER_STEPS __attribute__((swift_name("framePointerSteps"))) = 7,
    /// Signals that were not ours or came late.
    WICK_STAT_FOREIGN_SIGNALS __attribute__((swift_name("foreignSignals"))) = 8,
    /// CPU time of the whole process since start, and of the agent's own thread in it.
    WICK_STAT_PROCESS_CPU_NS __attribute__((swift_name("processCPUNanoseconds"))) = 9,
    WICK_STAT_AGENT_CPU_NS __attribute__((swift_name("agentCPUNanoseconds"))) = 10,
    /// Threads ever seen.
    WICK_STAT_THREADS __attribute__((swift_name("threads"))) = 11,
    /// Threads that exist and could not be armed.
    WICK_STAT_UNARMED_THREADS __attribute__((swift_name("unarmedThreads"))) = 12,
    /// Weight lost because whoever received the recording did not keep up.
    WICK_STAT_LOST_SLOW_READER __attribute__((swift_name("lostSlowReader"))) = 13,
    /// Allocations that should have been followed and were not, and references that should have been
    /// counted: made while one was being recorded (by a signal's handler), or no memory was left.
    WICK_STAT_LOST_ALLOCATIONS __attribute__((swift_name("lostAllocations"))) = 14,
    /// Followed objects whose free was not seen: their address was allocated anew. They count as freed then.
    WICK_STAT_LOST_FREES __attribute__((swift_name("lostFrees"))) = 15,
    /// Frees of objects that were not followed, while every allocation is: allocated before the start, or
    /// before every allocation was.
    WICK_STAT_UNKNOWN_FREES __attribute__((swift_name("unknownFrees"))) = 16,
    /// Bytes of memory that the agent uses for allocations, apart from what each thread has.
    WICK_STAT_ALLOCATION_MEMORY __attribute__((swift_name("allocationMemory"))) = 17,
    /// The high-water mark of live bytes.
    WICK_STAT_PEAK_BYTES __attribute__((swift_name("peakBytes"))) = 18,
    /// Frames that stacks of allocations lack towards the leaf, as the agent's tree of stacks was full: their
    /// callers have the numbers.
    WICK_STAT_LEFT_OUT_FRAMES __attribute__((swift_name("leftOutFrames"))) = 19,
} wick_stat;

/// Why a segment was closed.
typedef enum __attribute__((enum_extensibility(open), swift_name("EndReason"))) : uint32_t {
    /// Stopped by request.
    WICK_END_STOPPED __attribute__((swift_name("stopped"))) = 1,
    /// The process exited.
    WICK_END_EXITED __attribute__((swift_name("exited"))) = 2,
    /// The disk or quota is full; sampling stopped here and the process went on.
    WICK_END_DISK_FULL __attribute__((swift_name("diskFull"))) = 3,
    /// Writing failed otherwise.
    WICK_END_WRITE_FAILED __attribute__((swift_name("writeFailed"))) = 4,
    /// The requested duration was over.
    WICK_END_DURATION __attribute__((swift_name("duration"))) = 5,
    /// The process became another program; that one's segment follows if it is recorded too.
    WICK_END_EXEC __attribute__((swift_name("exec"))) = 6,
    /// A signal ended the process. Written afterwards, by the tool that launched it; what came
    /// in the last tenth of a second may be missing.
    WICK_END_KILLED __attribute__((swift_name("killed"))) = 7,
    /// No trigger worked any more; sampling stopped here and the process went on.
    WICK_END_NO_ENGINE __attribute__((swift_name("noEngine"))) = 8,
} wick_end_reason;
