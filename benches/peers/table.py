#!/usr/bin/env python3
"""Joins rows of `batchinv bench --json` and of peers into Markdown tables: one per operation and
scalar, with a line per order.

    python3 table.py [--device] batchinv.json peers.json

Each cell is the time per matrix, of the whole call or, with --device, of the work alone on data on the GPU. The number
in parentheses is that time divided by batchinv's. The two shares are of the machine's limits: a copy of the bytes,
which limits small orders, and multiply-adds, which limit large ones. The rows must come from one run on one machine.
The cell of a peer without a time is empty.
"""

import json
import os
import sys

sys.dont_write_bytecode = True  # No caches beside the sources.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import schema

UNITS = ((1e-6, 1e9, "ns"), (1e-3, 1e6, "µs"), (1.0, 1e3, "ms"), (float("inf"), 1.0, "s"))

# The fields of a row with its time, and with the time of a copy of the same bytes.
TOTAL = ("total_seconds", "copy_seconds")
DEVICE = ("device_seconds", "device_copy_seconds")


def main(arguments):
    paths = [argument for argument in arguments if argument != "--device"]
    times = TOTAL if len(paths) == len(arguments) else DEVICE
    if not paths:
        print(__doc__, file=sys.stderr)
        return 2
    rows = []
    for path in paths:
        with open(path, encoding="utf-8") as file:
            rows += json.load(file)
    for title in dict.fromkeys(map(title_of, rows)):
        print("\n".join(table([row for row in rows if title_of(row) == title], times)), end="\n\n")
    return 0


def title_of(row):
    """What a table is about: `float64`, or `float64, solve of 2`. Old rows say no operation and are about inverses."""
    op, width = row.get("op") or "inverse", row.get("width")
    return row["scalar"] + (f", {op}" if op != "inverse" else "") + (f" of {width}" if width else "")


def table(rows, times=TOTAL):
    """The lines of one table. Our rows without a time, such as CPU rows with --device, have no line."""
    own_time, copy_time = times

    def each(row):
        """Seconds per matrix, or None."""
        return row[own_time] and row[own_time] / row["len"]

    ours = [row for row in rows if row["program"].startswith("batchinv ")]
    peers = list(dict.fromkeys(row["engine"] for row in rows if row not in ours))
    columns = [title_of(rows[0]), "batchinv", "kernel", "of copy", "of peak", *peers]
    lines = ["| " + " | ".join(columns) + " |"]
    lines.append("|---" * len(columns) + "|")
    for row in filter(each, ours):
        base = each(row)
        beside = {(r["engine"], r["order"]): each(r) for r in rows if r not in ours}
        cells = [cell(beside.get((peer, row["order"])), base) for peer in peers]
        shares = [share(row.get(copy_time), row[own_time]), of_peak(row, own_time)]
        own = [str(row["order"]), time(base), row["kernel"], *shares]
        lines.append("| " + " | ".join(own + cells) + " |")
    return lines


def cell(seconds, base):
    return f"{time(seconds)} ({seconds / base:.3g})" if seconds else ""


def time(seconds):
    factor, unit = next((factor, unit) for below, factor, unit in UNITS if seconds < below)
    return f"{seconds * factor:.3g} {unit}"


def share(copy, seconds):
    """The share of a time that a copy of the same bytes takes, on as many threads or within the device."""
    return f"{copy / seconds:.0%}" if copy else ""


def of_peak(row, own_time):
    """The share of the processor's multiply-add peak; an operation on complex numbers counts as four."""
    if not row.get("peak_gflops"):
        return ""
    flops = schema.flops(row.get("op") or "inverse", row["order"], row.get("width"))
    work = (4 if row["scalar"].startswith("complex") else 1) * row["len"] * flops
    return f"{work / row[own_time] / row['peak_gflops'] / 1e9:.1%}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
