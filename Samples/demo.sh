#!/usr/bin/env bash
# Profiles the blog server under load: Samples/demo.sh [SECONDS [FOLDER]]
#
# Installs what is missing, builds, starts the server, drives it with wrk, attaches to it by its
# process id while it serves, and leaves the recording, the folded stacks, the flame graph and the
# report in Output/ or FOLDER. Then it does so with a fault and its cure, and with all allocations.
set -euo pipefail
here=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."

seconds=${1:-10}
if [[ ! $seconds =~ ^[1-9][0-9]{0,3}$ ]]; then
  echo "Usage: Samples/demo.sh [SECONDS [FOLDER]]" >&2
  exit 2
fi
output=$PWD/Output
if [[ -n ${2:-} ]]; then
  output=$(cd "$here" && mkdir -p "$2" && cd "$2" && pwd)
fi

fail() {
  echo "demo: $1" >&2
  if [[ -s ${log:-} ]]; then
    sed 's/^/  | /' "$log" >&2
  fi
  exit 1
}

command -v swift >/dev/null || fail "Swift is missing: a toolchain of version 6.3 or later is needed."
.ci/install libelf-dev libunwind-dev libevent-dev libsqlite3-dev zlib1g-dev libzstd-dev \
  liblzma-dev libcapstone-dev libdeflate-dev pkg-config wrk curl

echo "== Building"
# The server's build makes libwick.so, too.
swift build -c release --product WickBlogServer </dev/null
swift build -c release --product wick </dev/null
bin=$(swift build -c release --show-bin-path)

log=$(mktemp)
load=$(mktemp)
wick= server= served= driver= comparison=

clean_up() {
  for process in $driver $wick $served $server; do
    kill -TERM "$process" 2>/dev/null || true
  done
  if [[ -n $server ]]; then
    wait "$server" 2>/dev/null || true
  fi
  rm -rf "$log" "$load" ${comparison:+"$comparison"}
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# start [COMMAND…]: starts the server, by COMMAND if there is one. It is process $served, at $address.
start() {
  # Emptied here: the last server's address must not be found before this one has written its own.
  : >"$log"
  "$@" "$bin/WickBlogServer" --port 0 </dev/null 2>>"$log" &
  server=$!
  address=
  for ((tries = 0; tries < 300; tries++)); do
    line=$(grep -m 1 'WickBlogServer: listening on' "$log" || true)
    if [[ $line =~ (http://[0-9.]+:[0-9]+),\ pid\ ([0-9]+) ]]; then
      address=${BASH_REMATCH[1]} served=${BASH_REMATCH[2]}
      break
    fi
    kill -0 "$server" 2>/dev/null || fail "the server ended before it was ready."
    sleep 0.1
  done
  [[ -n $address ]] || fail "the server is not ready after 30 s."
  curl -fsS --retry 10 --retry-delay 1 --retry-connrefused --max-time 10 -o "$load" "$address/health" \
    || fail "the server does not answer."
}

# drive [SIDE]: begins the load; SIDE goes to Samples/demo.lua.
drive() {
  # In the background, so that a signal to this script is not kept waiting.
  wrk -t 2 -c 16 -d "${seconds}s" --timeout 30s -s Samples/demo.lua "$address" -- "$@" >"$load" &
  driver=$!
}

# finish_load: waits for its end, and sets $requests.
finish_load() {
  wait "$driver" || fail "wrk could not drive the server."
  driver=
  cat "$load"
  if grep -q 'Non-2xx' "$load"; then
    fail "the server answered with errors."
  fi
  requests=$(awk '/ requests in / { print $1 }' "$load")
}

stop() {
  local status=0
  echo "== Stopping the server"
  kill -TERM "$served" 2>/dev/null || fail "the server ended by itself."
  wait "$server" || status=$?
  server= served=
  ((status == 0)) || fail "the server ended with exit code $status."
}

# record OUTPUT… -- [SIDE]: drives the server and attaches to it.
record() {
  local outputs=() status=0
  while [[ $1 != -- ]]; do
    outputs+=(-o "$1")
    shift
  done
  shift
  echo "== Starting the server, without wick"
  start
  echo "== Driving it for $seconds s, and attaching to process $served"
  drive "$@"
  "$bin/wick" attach "$served" --duration "${seconds}s" "${outputs[@]}" </dev/null &
  wick=$!
  wait "$wick" || status=$?
  wick=
  ((status == 0)) || fail "wick attach ended with exit code $status."
  finish_load
  stop
}

rm -f "$output"/blog.* "$output"/cure.{svg,txt} "$output"/memory{,-lines,-leaks,-types}.* \
  "$output/live.svg"
comparison=$(mktemp -d)
record "$output/blog.wick" "$output/blog.folded" "$output/blog.svg" --
"$bin/wick" report "$output/blog.wick" >"$output/blog.txt" </dev/null

# The calendar makes a date formatter for each post; its cure keeps one.
record "$comparison/before.wick" -- slow
before=$requests
record "$comparison/after.wick" -- fast
"$bin/wick" diff --requests "$before,$requests" --title "Calendar cured: cost of a request" \
  --svg "$output/cure.svg" -o "$output/cure.txt" "$comparison/before.wick" \
  "$comparison/after.wick" </dev/null

echo "== Starting the server with every allocation recorded"
memory=$output/memory.wick
start "$bin/wick" record --alloc=all -o "$memory" --
echo "== Driving it for $seconds s"
drive
finish_load
# What is live now is what the server holds; at its own end it frees nearly all.
"$bin/wick" stop "$served" </dev/null || fail "the recording could not be ended."
stop
"$bin/wick" flamegraph --value alloc_space --title "Blog server: bytes allocated" \
  -o "$output/memory.svg" "$memory" </dev/null
"$bin/wick" flamegraph --value inuse_space --types --title "Blog server: bytes live, by type" \
  -o "$output/live.svg" "$memory" </dev/null
"$bin/wick" report --lines --value alloc_space "$memory" >"$output/memory-lines.txt" </dev/null
"$bin/wick" report --leaks "$memory" >"$output/memory-leaks.txt" </dev/null
"$bin/wick" report --by type --value alloc_space "$memory" >"$output/memory-types.txt" </dev/null

for file in blog.wick blog.folded blog.svg blog.txt cure.svg cure.txt \
  memory{.wick,.svg,-lines.txt,-leaks.txt,-types.txt} live.svg; do
  [[ -s $output/$file ]] || fail "$output/$file is missing or empty."
done

cat <<END
== Done
  $output/blog.svg     the flame graph: open it in a browser
  $output/blog.txt     functions by self and total time
  $output/blog.folded  folded stacks, for other tools
  $output/cure.svg     what changes where one fault is cured
  $output/blog.wick    the recording, for wick report, wick flamegraph, wick folded
  $output/memory.svg   where bytes are allocated; memory-lines.txt: by which lines
  $output/live.svg     what is live under load, down to types; memory-leaks.txt: by stack
  $output/memory.wick  the recording with every allocation
END
