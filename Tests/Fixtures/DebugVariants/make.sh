#!/usr/bin/env bash
# Makes the libraries in this folder anew: one program in every form that debug information comes in.
# Needs gcc 12, clang, lld, llvm-dwp, dwz, xz and binutils 2.40 of Debian 12.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
rm -rf ./*.so ./*.dwo ./*.dwp ./*.debug ./*.dwz debug

build() { # NAME COMPILER FLAG…
  local name=$1 compiler=$2
  shift 2
  "$compiler" -O2 -fPIC -shared -nostdlib -fuse-ld=bfd -fcf-protection=none \
    -Wl,--build-id=sha1 -Wl,-z,noseparate-code -fdebug-prefix-map="$PWD=/src" "$@" \
    -o "$name.so" outer.c
}

for version in 2 3 4 5; do
  build gcc-dwarf$version gcc -gdwarf-$version
  build clang-dwarf$version clang -gdwarf-$version
done
build gcc-dwarf5-64bit gcc -gdwarf-5 -gdwarf64
build clang-dwarf5-64bit clang -gdwarf-5 -gdwarf64
build gcc-types gcc -gdwarf-4 -fdebug-types-section
build gcc-zlib gcc -g -gz=zlib
build gcc-zlib-gnu gcc -gdwarf-4 -gz=zlib-gnu
build gcc-zstd gcc -g
objcopy --compress-debug-sections=zstd gcc-zstd.so

# Split units lie beside the library.
for version in 4 5; do
  build gcc-split$version gcc -gdwarf-$version -gsplit-dwarf -dumpbase gcc-split$version
  build clang-split$version clang -gdwarf-$version -gsplit-dwarf
done
build gcc-package4 gcc -gdwarf-4 -gsplit-dwarf -dumpbase gcc-package4
timeout 60 llvm-dwp gcc-package4-outer.dwo -o gcc-package4.so.dwp
rm gcc-package4-outer.dwo

# Two libraries, whose common debug information is in a third file.
build gcc-dwz4 gcc -gdwarf-4
cp gcc-dwz4.so gcc-dwz4-twin.so
dwz -m gcc-dwz4.dwz gcc-dwz4.so gcc-dwz4-twin.so
rm gcc-dwz4-twin.so

build gcc-debuglink gcc -g
objcopy --only-keep-debug gcc-debuglink.so gcc-debuglink.debug
strip -s gcc-debuglink.so
objcopy --add-gnu-debuglink=gcc-debuglink.debug gcc-debuglink.so

build gcc-buildid gcc -g -Wl,--build-id=0x0123456789abcdef0123456789abcdef01234567
mkdir -p debug/.build-id/01
objcopy --only-keep-debug gcc-buildid.so debug/.build-id/01/23456789abcdef0123456789abcdef01234567.debug
strip -s gcc-buildid.so

# Symbols only, as Fedora leaves them.
build gcc-mini gcc -g -fvisibility=hidden
objcopy --only-keep-debug gcc-mini.so mini
objcopy -S --remove-section .comment --keep-symbol=outer --keep-symbol=other mini mini.small
xz mini.small
strip -s gcc-mini.so
objcopy --add-section .gnu_debugdata=mini.small.xz gcc-mini.so
rm mini mini.small.xz

build gcc-stripped gcc -g -fvisibility=hidden
strip -s gcc-stripped.so
