#!/usr/bin/env bash
# Checks everything: formatting, lints, docs, the examples, every test on the CPU and on a GPU adapter, and what the
# compiler of AMD GPUs makes of the shaders.
#
#   tests/run.sh          the suite; from nothing about an hour on two cores, of which compilers take half; at the end
#                         it prints what each step took
#   tests/run.sh --all    the same with the full sweep of orders, lengths and AMD GPUs, and a verified package
#
# If no adapter is found, this installs Mesa's software Vulkan driver through apt, or says what to install if
# there is no apt. The second driver is SwiftShader, from Debian's Chromium: its subgroups have 4 lanes, and it
# has no float64. At the end this prints a table of what ran, by adapter, kernel, scalar, and promise. The table
# must equal tests/expected.txt, so that no test passes by being skipped.
set -euo pipefail
cd "$(dirname "$0")/.."

case "${1-}" in
    "") ;;
    --all) export BATCHINV_ALL=1 ;;
    *) echo "usage: tests/run.sh [--all]" >&2; exit 2 ;;
esac

export BATCHINV_REQUIRE_GPU=1

# Announces a step, and notes how long the one before took.
times=""
step() {
    if [ -n "${step-}" ]; then times+=$(printf '%5d s  %s' $((SECONDS - started)) "$step")$'\n'; fi
    step=$* started=$SECONDS
    if [ -n "$step" ]; then printf '\n== %s\n' "$step"; fi
}

# Runs a command as root, through sudo if necessary.
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

# One build serves the tests, the examples, the program and the compilers' tool. Built by itself, without the tests'
# dependencies, the program would get other features of wgpu, and so a second build of everything.
built=$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')/debug
tested=(--all-features --package batchinv --package batchinv-compilers)

# Inverts a file on the GPU engine, which exits with status 3 if there is no adapter. Any other failure is a fault.
has_adapter() {
    local status=0
    "$built/batchinv" inv tests/data/float32.npy -o "$scratch/probe.npy" --engine gpu --quiet || status=$?
    [ "$status" = 0 ] || [ "$status" = 3 ] || { cat "$scratch/probe.txt" >&2; exit 1; }
    return "$status"
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

step "formatting"
cargo fmt --check

step "building"
cargo test "${tested[@]}" --no-run

step "an adapter"
if ! has_adapter 2>"$scratch/probe.txt"; then
    cat "$scratch/probe.txt"
    if ! command -v apt-get >/dev/null; then
        echo "No GPU adapter. Install the Vulkan loader and a Vulkan driver, such as Mesa's lavapipe" \
            "(package mesa-vulkan-drivers, vulkan-swrast, or mesa-libs)." >&2
        exit 1
    fi
    as_root apt-get update
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install --yes --no-install-recommends mesa-vulkan-drivers libvulkan1
    has_adapter || { echo "Mesa's driver is installed, but no adapter is found." >&2; exit 1; }
fi

step "a second driver"
swiftshader=/usr/lib/chromium/vk_swiftshader_icd.json
if [ ! -f "$swiftshader" ] && command -v apt-get >/dev/null; then
    as_root apt-get update
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends chromium-common || true
fi
if [ -f "$swiftshader" ]; then
    export VK_ADD_DRIVER_FILES="$swiftshader"
else
    echo "SKIPPED: SwiftShader, since there is no $swiftshader (Debian's package chromium-common)"
fi
"$built/batchinv" info

step "a compiler of GPUs"
# RADV compiles for AMD GPUs that are not there. On Debian it comes with the package of lavapipe.
if command -v apt-get >/dev/null; then
    if ! dpkg --status mesa-vulkan-drivers >/dev/null 2>&1; then
        as_root apt-get update
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends mesa-vulkan-drivers
    fi
    export BATCHINV_REQUIRE_RADV=1
fi

step "clippy, all features"
cargo clippy --workspace --all-targets --all-features -- -D warnings
step "clippy, no default features"
cargo clippy --all-targets --no-default-features -- -D warnings
step "docs"
RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --all-features

step "tests and doctests, all features"
export BATCHINV_TEST_LOG="$scratch/ran.txt"
: >"$BATCHINV_TEST_LOG"
cargo test "${tested[@]}"
unset BATCHINV_TEST_LOG
# Without the GPU engine: what differs from the build above, and one test of each kind that the CPU engine has.
step "tests and doctests, no default features"
cargo test --no-default-features ${BATCHINV_ALL:+--lib} \
    --test accuracy --test api --test bits --test in_place --test plan
cargo test --no-default-features --doc

step "examples"
example() { cargo run --quiet --all-features --example "$@"; }
example normal_matrices -- "$scratch" 500 128
example block_jacobi -- "$scratch" 10
example kalman_bank -- 500 60
example stiff_chemistry -- 200
[ -s "$scratch/normal_matrices.png" ] && [ -s "$scratch/block_jacobi.svg" ]

step "compilers"
compilers() {
    local status=0
    "$built/batchinv-compilers" "$@" || status=$?
    if [ "$status" = 3 ] && ! command -v apt-get >/dev/null; then
        echo "SKIPPED: what RADV makes of the shaders, since it is not installed"
    elif [ "$status" != 0 ]; then
        exit 1
    fi
}
compilers --expected benches/compilers/expected.txt
if [ -n "${BATCHINV_ALL-}" ]; then
    compilers --expected benches/compilers/expected.txt --family all --order all --plain
fi

step "size"
tests/size.sh

step "the Python package"
python/test.sh "$@"

step "the browser package"
BATCHINV_REQUIRE_BROWSER=${CI-} web/test.sh

step "package"
if [ -n "${BATCHINV_ALL-}" ]; then cargo package --allow-dirty; else cargo package --allow-dirty --no-verify; fi

if command -v python3 >/dev/null; then
    step "peer scripts"
    (cd benches/peers && python3 -B -m unittest --quiet test_peers)
else
    echo "SKIPPED: the peer scripts' tests, since there is no python3"
fi

step "what ran"
tests/ran.sh "$scratch/ran.txt" | tee "$scratch/table.txt"
expected() {
    if [ -f "$swiftshader" ]; then cat tests/expected.txt; else grep -v '^swiftshader ' tests/expected.txt; fi
}
if ! diff -u <(expected) "$scratch/table.txt"; then
    echo "The tests that ran differ from tests/expected.txt. If that is intended, replace that file with the" \
        "output of tests/ran.sh." >&2
    exit 1
fi
step ""
printf '\nWhat each step took:\n%s\nAll passed.\n' "$times"
