#!/usr/bin/env bash
# Checks and times the GPU engine on this machine's adapter, beside NumPy and, on an NVIDIA GPU, PyTorch, CuPy,
# and cuBLAS. Prints Markdown tables for 10,000 matrices and for GIB gibibytes of matrices: per scalar, one table
# of the work alone on data on the GPU, and one of whole calls.
#
#   benches/gpu.sh [--op OP] [--width COLUMNS] [--adapter NAME] [--fill GIB] [--repeats R] [SCALARS [ORDERS]]
#   benches/gpu.sh --fill 2 float32,float64 2,4,8,16,32
#   benches/gpu.sh --op solve --width 8 float32 4,8,16,32
#
# OP is inverse, solve (of systems with COLUMNS right-hand sides each), or det.
# Needs python3 with numpy; the columns of torch and cupy are left out if those are missing. Without cargo, it runs the
# program in target/release. The rows remain in target/gpu-rows. Exits with 1 if an answer of the GPU engine is wrong.
set -euo pipefail
cd "$(dirname "$0")/.."
fill=1
repeats=20
adapter=()
options=()
while [[ "${1-}" == --* ]]; do
    case "$1" in
        --op|--width) options+=("$1" "$2") ;;
        --adapter) adapter=("$1" "$2") ;;
        --fill) fill=$2 ;;
        --repeats) repeats=$2 ;;
        *) sed -n '2,12s/^# \?//p' "$0" >&2; exit 2 ;;
    esac
    shift 2
done
scalars=${1:-float32,float64}
orders=${2:-2,3,4,6,8,12,16,24,32,48,64,96,128}

if command -v cargo >/dev/null; then cargo build --release --features cli; fi
program=target/release/batchinv
rows=target/gpu-rows
rm -rf "$rows"
mkdir -p "$rows/10000" "$rows/full"
"$program" info

# Prints how many matrices of a scalar and an order make $fill GiB, at least 16.
full() {
    local size
    case "$1" in float32) size=4 ;; float64|complex64) size=8 ;; *) size=16 ;; esac
    python3 -c "import sys; print(max(16, int(float(sys.argv[1]) * 2**30 / $size / $2**2)))" "$fill"
}

# Order by order, so that all times of an order are taken within a short time.
for scalar in ${scalars//,/ }; do
    for order in ${orders//,/ }; do
        for len in 10000 full; do
            count=$len
            if [ "$len" = full ]; then count=$(full "$scalar" "$order"); fi
            what=(--scalar "$scalar" --order "$order" --len "$count" --repeats "$repeats"
                ${options[@]+"${options[@]}"})
            at=$rows/$len/$scalar-$(printf %04d "$order")
            "$program" bench --quiet --engine gpu ${adapter[@]+"${adapter[@]}"} "${what[@]}" \
                --json "$at-0.json" >/dev/null
            # The cell of a peer that fails stays empty.
            python3 benches/peers/cuda.py "${what[@]}" --json "$at-2.json" >/dev/null 2>&1 || true
            if [ "$len" = 10000 ]; then
                python3 benches/peers/cpu.py --peer numpy "${what[@]}" --json "$at-1.json" >/dev/null 2>&1 || true
            fi
            printf '%s order %s, %s matrices: done\n' "$scalar" "$order" "$count" >&2
        done
    done
done
for len in 10000 full; do
    case "$len" in full) of="$fill GiB" ;; *) of="10,000 matrices" ;; esac
    printf '## %s, on the GPU alone\n\n' "$of"
    python3 benches/peers/table.py --device "$rows/$len"/*.json
    printf '## %s, whole calls\n\n' "$of"
    python3 benches/peers/table.py "$rows/$len"/*.json
done
