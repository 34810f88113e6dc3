#!/usr/bin/env bash
# Builds the browser package, and tests it and its page in Debian's Chromium on SwiftShader. Pictures of the page go to
# Cargo's target folder, in web/pictures.
#
#   web/test.sh [NAME]     all tests, or those whose names contain NAME
#
# On Debian this installs Chromium, Node and npm through apt where they are missing. Where rustup cannot add the target
# wasm32-unknown-unknown, the source of the standard library comes from Debian, and the standard library is built too.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p "${CARGO_TARGET_DIR-target}/web"
folder=$(cd "${CARGO_TARGET_DIR-target}/web" && pwd)

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
missing=()
for pair in chromium:chromium node:nodejs npm:npm; do
    command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
done
if [ ${#missing[@]} -gt 0 ]; then
    if ! command -v apt-get >/dev/null; then
        message="the browser package, which needs ${missing[*]}"
        if [ -n "${BATCHINV_REQUIRE_BROWSER-}" ]; then echo "$message" >&2; exit 1; fi
        echo "SKIPPED: $message"
        exit
    fi
    as_root apt-get update
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "${missing[@]}"
fi

echo "-- the package"
libraries=$(rustc --print target-libdir --target wasm32-unknown-unknown)
if [ ! -d "$libraries" ] && [ -z "${RUST_SRC-}" ]; then
    rustup target add wasm32-unknown-unknown 2>"$folder/rustup.txt" || true
    if [ ! -d "$libraries" ]; then
        echo "rustup cannot add the target; its standard library is built from source"
        RUST_SRC=$(web/rust-src.sh "$folder/rust-src")
        export RUST_SRC
    fi
fi
web/build.sh "$folder/package"

echo "-- a program in Rust"
web/build.sh "$folder/program" batchinv-web-program

echo "-- size"
size=$(gzip --best --stdout "$folder/package/wasm/batchinv_web_bg.wasm" | wc -c)
echo "the wasm with both engines takes $size bytes gzipped"
if [ "$size" -gt 700000 ]; then
    echo "That is more than 700,000." >&2
    exit 1
fi

if command -v python3 >/dev/null; then
    echo "-- licenses"
    python3 tests/licenses.py web --check
else
    echo "SKIPPED: the licenses of the package, since there is no python3"
fi

echo "-- types"
(cd web && npm ci --no-audit --no-fund --silent)
web/node_modules/.bin/tsc --project web/tests

echo "-- files of NumPy"
node --test --test-reporter=dot web/tests/npy.test.mjs

echo "-- in Chromium"
cargo test --quiet --all-features --test browser_cases
web/page.sh "$folder/package" "$folder/site"
node web/tests/run.mjs "$folder/package" "$folder/program" "$folder/site" "${folder%/web}/tmp/browser" \
    "$folder/pictures" "${1-}"
