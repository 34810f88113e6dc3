#!/usr/bin/env bash
# Times the passes of the GPU engine in Chromium and in a native program, both on SwiftShader, turn by turn:
#
#   web/tests/compare.sh PACKAGE SITE BATCHINV     with a native `batchinv`
#
# For each order it prints the best of several turns of each, by the device's clock, in microseconds per matrix.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
package=$1 site=$2 native=$3
export VK_ADD_DRIVER_FILES=${VK_ADD_DRIVER_FILES-/usr/lib/chromium/vk_swiftshader_icd.json}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

printf '%6s %8s %12s %12s %8s\n' order matrices native Chromium ratio
for pair in ${ORDERS-2:100000 4:100000 8:30000 12:10000 16:5000 24:2000 32:1000 48:400 64:200 100:50 128:30 200:16}; do
    order=${pair%:*} len=${pair#*:}
    for turn in 1 2 3; do
        "$native" bench --engine gpu --adapter SwiftShader --order "$order" --len "$len" --json "$scratch/native.json" \
            >/dev/null 2>&1
        grep -o '"device_seconds":[0-9.e-]*' "$scratch/native.json" | cut -d : -f 2 >>"$scratch/native-$order"
        node "$here/measure.mjs" "$package" "$site" passes "$order" "$len" >>"$scratch/web-$order"
    done
    best() { sort -g "$scratch/$1-$order" | head -n 1; }
    echo "$order $len $(best native) $(best web)" |
        awk '{ printf "%6d %8d %12.4f %12.4f %8.2f\n", $1, $2, 1e6 * $3 / $2, 1e6 * $4 / $2, $4 / $3 }'
done
