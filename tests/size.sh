#!/usr/bin/env bash
# Fails if the library, or the program in tests/size that inverts one stack with it, has outgrown its bound. Sizes are
# exact, so the bounds are close: raise one only with a reason, in the commit that needs it.
set -euo pipefail
cd "$(dirname "$0")/.."

# Bytes, on x86-64 and without debug information, as a user's release build has it. With Rust 1.95 they are 8.81 and
# 1.79 million; when every order was compiled by itself, they were 12.0 and 3.63.
rlib_bound=9000000
text_bound=1850000

if [ "$(uname -m)" != x86_64 ]; then
    echo "SKIPPED: sizes, whose bounds are those of x86-64"
    exit 0
fi
target=$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')/size
CARGO_PROFILE_RELEASE_DEBUG=false cargo build --quiet --release --target-dir "$target" --package batchinv-size

check() {
    printf '%-40s %9d bytes, at most %9d\n' "$1" "$2" "$3"
    [ "$2" -le "$3" ] || { echo "$1 has outgrown its bound in tests/size.sh" >&2; exit 1; }
}
# The library that was built last, should the folder hold others.
rlib=$(ls -t "$target"/release/deps/libbatchinv-*.rlib | head -n 1)
check "the library (rlib)" "$(wc -c <"$rlib")" "$rlib_bound"
check "machine code of a program with one stack" "$(size "$target/release/batchinv-size" | awk 'NR == 2 { print $1 }')" "$text_bound"
