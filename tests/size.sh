#!/usr/bin/env bash
# Fails if the library, or the program in tests/size that inverts one stack with it, has outgrown its bound. Sizes are
# exact, so the bounds are close: raise one only with a reason, in the commit that needs it.
set -euo pipefail
cd "$(dirname "$0")/.."

# Bytes with Rust 1.95 on x86-64, without debug information, as a user's release build has it: the whole library, and
# the code and constants of the program. They are 15.1 and 1.87 million, of which the plans and the calls that let a
# GPU solve take 0.15 million. Cofactor matrices, verdicts for all lanes at once, and small matrices of any magnitude
# take 0.45 million of the library and 0.02 of the program. Solutions and determinants take 5.4 million of the library
# and nothing of the program: what it does not call, it does not link. Of these, outer blocks and shared threads for
# large systems, and any number of right-hand sides at orders 1 to 4, take 1.7. When every order was compiled by
# itself, and there were inverses alone, the sizes were 12.0 and 3.63 million.
rlib_bound=15150000
text_bound=1875000

case "$(uname -m) $(rustc --version)" in
    "x86_64 rustc 1.95."*) ;;
    *) echo "SKIPPED: sizes, whose bounds are those of Rust 1.95 on x86-64"; exit 0 ;;
esac
target=$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')/size
rm -rf "$target"
CARGO_PROFILE_RELEASE_DEBUG=false cargo build --quiet --release --target-dir "$target" --package batchinv-size
rlib=$(echo "$target"/release/deps/libbatchinv-*.rlib)
program=$target/release/batchinv-size

check() {
    printf '%-40s %9d bytes, at most %9d\n' "$1" "$2" "$3"
    [ "$2" -le "$3" ] || { echo "$1 has outgrown its bound in tests/size.sh" >&2; exit 1; }
}
check "the library (rlib)" "$(wc -c <"$rlib")" "$rlib_bound"
check "code of a program that inverts one stack" "$(size "$program" | awk 'NR == 2 { print $1 }')" "$text_bound"
