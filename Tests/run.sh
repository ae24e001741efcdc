#!/usr/bin/env bash
# Installs what the tests need and runs all of them, or with arguments what `swift test` makes of
# these: Tests/run.sh --filter WickSampleTests
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if ! command -v swift >/dev/null; then
  echo "Swift is missing: the tests need a toolchain of version 6.3 or later in PATH." >&2
  exit 1
fi

.ci/install libelf-dev libunwind-dev libevent-dev libsqlite3-dev zlib1g-dev libzstd-dev liblzma-dev \
  libcapstone-dev libdeflate-dev pkg-config binutils elfutils gcc g++ gdb dwz llvm lld xz-utils wrk curl chromium \
  util-linux musl-tools golang-go linux-perf perl python3 bsdutils gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user \
  debuginfod libdebuginfod1 strace musl-tools

# Servers to attach to, only where the machine is there for tests: the packages start them, now and
# with the machine. Elsewhere the tests of those that are missing are skipped.
if [[ -n ${CI:-} ]]; then
  WITHOUT_SERVICES=1 .ci/install redis-server redis-tools nginx-light postgresql util-linux python3
fi

output=$(mktemp)
trap 'rm -f "$output"' EXIT
status=0

# A run that ends before its summary is a failure, whatever its exit code.
run() {
  echo "== swift test $*"
  local before after
  before=$(grep -cE "Test run with [0-9]+ tests?" "$output") || true
  swift test "$@" </dev/null 2>&1 | tee -a "$output" || status=$?
  after=$(grep -cE "Test run with [0-9]+ tests?" "$output") || true
  [[ $after -gt $before ]] || status=${status/#0/1}
}

# One suite at a time: most compare samples with CPU time, and want the machine for themselves.
if [[ $# -gt 0 ]]; then
  run --no-parallel "$@"
else
  careless='^Wick(Agent|Symbols|Render|Formats|Profile|Recording|Disassembly)Tests\.'
  run --filter "$careless"
  run --skip-build --no-parallel --skip "$careless"
fi

# What failed stands at the end, where it is read.
grep -E -A 4 "✘ Test .* recorded an issue|Fatal error|unexpected signal" "$output" \
  | grep -E "^(✘|↳|--)|Fatal error|unexpected signal" | cut -c 1-3000 || true
echo "== Totals"
grep -E "Test run with [0-9]+ tests?" "$output" || true
exit "$status"
