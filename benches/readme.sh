#!/usr/bin/env bash
# Makes the README's picture, and the rows behind its table, from both engines and the CPU peers in one run.
# Needs python3 with numpy, scipy and mkl (see benches/peers/cpu.py).
set -euo pipefail
cd "$(dirname "$0")/.."
orders=2,3,4,6,8,12,16,24,32,48,64,128
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

cargo build --release --features cli
python3 benches/peers/cpu.py --order "$orders" --scalar float32 --peer numpy,mkl --threads "$(nproc)" \
    --json "$scratch/peers.json"
target/release/batchinv bench --order "$orders" --json "$scratch/batchinv.json" \
    --plot docs/float32.svg --with "$scratch/peers.json"
