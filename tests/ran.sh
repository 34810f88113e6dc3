#!/usr/bin/env bash
# Turns the record of what the tests ran (see tests/common/engines.rs) into a table. A row gives adapter, kernel,
# scalar, and promise, and `ran` or `skipped`.
#
#   BATCHINV_TEST_LOG=ran.txt cargo test --all-features && tests/ran.sh ran.txt
set -euo pipefail
export LC_ALL=C
sort -u "$1" | awk '{ printf "%-14s %-10s %-11s %-14s %s\n", $1, $2, $3, $4, $5 }'
