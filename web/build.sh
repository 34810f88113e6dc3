#!/usr/bin/env bash
# Builds the browser package:
#
#   web/build.sh [FOLDER]          into this folder, by default web/pkg
#   web/build.sh FOLDER CRATE      another crate of the workspace for browsers, its wasm and JavaScript alone
#
# It takes stable Rust with the target installed: `rustup target add wasm32-unknown-unknown`. Where rustup cannot fetch
# the target, RUST_SRC names the source of the standard library of the very version of rustc, the folder that holds
# `library`, and the standard library is built too: see web/rust-src.sh.
#
# The wasm uses SIMD128, which all browsers with WebGPU have, and not its relaxed form, whose bits differ by machine.
set -euo pipefail
cd "$(dirname "$0")/.."
package=${1-web/pkg}
crate=${2-batchinv-web}
target=wasm32-unknown-unknown
built=${CARGO_TARGET_DIR-target}
mkdir -p "$built"

arguments=(build --locked --package "$crate" --profile web --target "$target")
export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS="-C target-feature=+simd128"
if [ -n "${RUST_SRC-}" ]; then
    # A copy of the toolchain, by links, with the source where Cargo looks for it.
    sysroot=$(rustc --print sysroot)
    copy=$(cd "$built" && pwd)/sysroot-with-source
    rm -rf "$copy"
    mkdir -p "$copy/lib/rustlib/src"
    link() { for entry in "$1"/*; do [ "${entry##*/}" = "$3" ] || ln -s "$entry" "$2/"; done; }
    link "$sysroot" "$copy" lib
    link "$sysroot/lib" "$copy/lib" rustlib
    link "$sysroot/lib/rustlib" "$copy/lib/rustlib" src
    ln -s "$(cd "$RUST_SRC" && pwd)" "$copy/lib/rustlib/src/rust"
    compiler=$copy/rustc
    printf '#!/bin/sh\nexec "%s" --sysroot "%s" "$@"\n' "$sysroot/bin/rustc" "$copy" >"$compiler"
    chmod +x "$compiler"
    RUSTC_BOOTSTRAP=1 RUSTC=$compiler cargo "${arguments[@]}" -Zbuild-std=std,panic_abort
else
    cargo "${arguments[@]}"
fi

rm -rf "$package"
mkdir -p "$package"
if [ "$crate" = batchinv-web ]; then wasm=$package/wasm; else wasm=$package; fi
cargo run --quiet --locked --package batchinv-bindgen -- "$built/$target/web/${crate//-/_}.wasm" "$wasm"
if [ "$crate" != batchinv-web ]; then exit; fi
cp web/js/* web/README.md LICENSE-APACHE LICENSE-MIT web/THIRD-PARTY.txt "$package/"
