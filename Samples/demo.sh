#!/usr/bin/env bash
# Profiles the blog server under load: Samples/demo.sh [SECONDS]
#
# Installs what is missing, builds, starts the server, drives it with wrk, attaches to it by its
# process id while it serves, and leaves the recording, the folded stacks, the flame graph and the report in Output/.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

seconds=${1:-10}
if [[ ! $seconds =~ ^[1-9][0-9]{0,3}$ ]]; then
  echo "Usage: Samples/demo.sh [SECONDS]" >&2
  exit 2
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
wick= server= driver= comparison=

clean_up() {
  for process in $driver $wick $server; do
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

# record OUTPUT… -- [SIDE]: drives the server and attaches to it; SIDE goes to Samples/demo.lua.
record() {
  local outputs=() address='' status=0
  while [[ $1 != -- ]]; do
    outputs+=(-o "$1")
    shift
  done
  shift
  echo "== Starting the server, without wick"
  "$bin/WickBlogServer" --port 0 </dev/null 2>"$log" &
  server=$!
  for ((tries = 0; tries < 300; tries++)); do
    line=$(grep -m 1 'WickBlogServer: listening on' "$log" || true)
    if [[ $line =~ (http://[0-9.]+:[0-9]+),\ pid\ ([0-9]+) ]]; then
      address=${BASH_REMATCH[1]}
      break
    fi
    kill -0 "$server" 2>/dev/null || fail "the server ended before it was ready."
    sleep 0.1
  done
  [[ -n $address ]] || fail "the server is not ready after 30 s."
  curl -fsS --retry 10 --retry-connrefused --max-time 10 -o "$load" "$address/health" \
    || fail "the server does not answer."

  echo "== Driving it for $seconds s, and attaching to process $server"
  # In the background, so that a signal to this script is not kept waiting.
  wrk -t 2 -c 16 -d "${seconds}s" --timeout 30s -s Samples/demo.lua "$address" -- "$@" >"$load" &
  driver=$!
  "$bin/wick" attach "$server" --duration "${seconds}s" "${outputs[@]}" </dev/null &
  wick=$!
  wait "$wick" || status=$?
  wick=
  ((status == 0)) || fail "wick attach ended with exit code $status."
  wait "$driver" || fail "wrk could not drive the server."
  driver=
  cat "$load"
  if grep -q 'Non-2xx' "$load"; then
    fail "the server answered with errors."
  fi
  requests=$(awk '/ requests in / { print $1 }' "$load")

  echo "== Stopping the server"
  kill -TERM "$server" 2>/dev/null || fail "the server ended by itself."
  wait "$server" || status=$?
  server=
  ((status == 0)) || fail "the server ended with exit code $status."
}

mkdir -p Output
rm -f Output/blog.* Output/cure.{svg,txt}
comparison=$(mktemp -d)
record Output/blog.wick Output/blog.folded Output/blog.svg --
"$bin/wick" report Output/blog.wick >Output/blog.txt </dev/null

# The calendar makes a date formatter for each post; its cure keeps one.
record "$comparison/before.wick" -- slow
before=$requests
record "$comparison/after.wick" -- fast
"$bin/wick" diff --requests "$before,$requests" --title "Calendar cured: cost of a request" \
  --svg Output/cure.svg -o Output/cure.txt "$comparison/before.wick" "$comparison/after.wick" \
  </dev/null
for file in blog.wick blog.folded blog.svg blog.txt cure.svg cure.txt; do
  [[ -s Output/$file ]] || fail "Output/$file is missing or empty."
done

cat <<END
== Done
  $PWD/Output/blog.svg     the flame graph: open it in a browser
  $PWD/Output/blog.txt     functions by self and total time
  $PWD/Output/blog.folded  folded stacks, for other tools
  $PWD/Output/cure.svg     what changes where one fault is cured
  $PWD/Output/blog.wick    the recording, for wick report, wick flamegraph, wick folded
END
