#!/usr/bin/env bash
# Times the CPU engine beside NumPy, MKL compact, faer, nalgebra, and glam, and prints a Markdown table per scalar.
# The programs run order by order, so that all times of an order are taken within half a minute. The best of the
# repeats counts.
#
#   benches/cpu.sh [--op OP] [--width COLUMNS] [--len COUNT] [--threads T] [--repeats R] [--peer NAMES]
#       [SCALARS [ORDERS]]
#   benches/cpu.sh --len 1 --peer numpy float32,float64 4,16,64
#   benches/cpu.sh --op solve --width 8 --peer numpy,scipy,mkl float64 4,16,64
#
# OP is inverse, solve (of systems with COLUMNS right-hand sides each), or det. NAMES are peers of benches/peers/cpu.py,
# by default numpy,mkl; above order 64, mkl takes minutes. A peer whose Python packages are missing is left out. The
# rows remain in target/cpu-rows.
set -euo pipefail
cd "$(dirname "$0")/.."
threads=$(nproc)
options=()
repeats=20
peers=numpy,mkl
while [[ "${1-}" == --* ]]; do
    case "$1" in
        --op|--width|--len) options+=("$1" "$2") ;;
        --repeats) repeats=$2 ;;
        --threads) threads=$2 ;;
        --peer) peers=$2 ;;
        *) sed -n '2,13s/^# \?//p' "$0" >&2; exit 2 ;;
    esac
    shift 2
done
scalars=${1:-float32,float64}
orders=${2:-2,3,4,6,8,12,16,24,32,48,64,96,128}

cargo build --release --bins -p batchinv -p batchinv-benches --features batchinv/cli
rows=target/cpu-rows
rm -rf "$rows"
mkdir -p "$rows"
export RAYON_NUM_THREADS=$threads
for scalar in ${scalars//,/ }; do
    for order in ${orders//,/ }; do
        what=(--scalar "$scalar" --order "$order" --repeats "$repeats" ${options[@]+"${options[@]}"})
        at=$rows/$scalar-$(printf %04d "$order")
        target/release/batchinv bench --engine cpu "${what[@]}" --json "$at-0.json" >/dev/null
        # The cell of a peer that fails stays empty.
        python3 benches/peers/cpu.py --peer "$peers" --threads "$threads" "${what[@]}" \
            --json "$at-1.json" >/dev/null || true
        target/release/rust-peers --threads "$threads" "${what[@]}" >"$at-2.json"
        printf '%s order %s done\n' "$scalar" "$order" >&2
    done
done
python3 benches/peers/table.py "$rows"/*.json
