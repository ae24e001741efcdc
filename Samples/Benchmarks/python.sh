#!/usr/bin/env bash
# Builds a program with much debug information for `WickBenchmarks symbols`: Debian 12's Python 3.11
# with -g -O2, 8.7 MB of .debug_info. Samples/Benchmarks/python.sh [FOLDER]; prints where it is.
set -euo pipefail
folder=$(realpath -m "${1:-/tmp/wick-python}")
mkdir -p "$folder/apt/lists/partial"
cd "$folder"

if [[ ! -d Python-3.11.2 ]]; then
  # The sources' lists stay out of the machine's own.
  cat /etc/apt/sources.list.d/*.sources 2>/dev/null \
    | sed 's/^Types:.*/Types: deb-src/' >apt/debian.sources || true
  cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null \
    | sed -n 's/^deb /deb-src /p' >apt/debian.list || true
  apt=(-o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$folder/apt"
    -o Dir::State::lists="$folder/apt/lists")
  apt-get "${apt[@]}" update >&2
  apt-get "${apt[@]}" source --download-only --tar-only python3.11 >&2
  tar -xf python3.11_3.11.2.orig.tar.*z
fi
cd Python-3.11.2
[[ -f Makefile ]] || ./configure CFLAGS="-g -O2" >configure.log
make -j"$(nproc)" python >make.log 2>&1
realpath python
