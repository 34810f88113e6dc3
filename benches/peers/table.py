#!/usr/bin/env python3
"""Joins rows of `batchinv bench --json` and of peers into Markdown tables: one for each scalar, an order to a line.

    python3 table.py batchinv.json peers.json

Each cell is the time for one matrix; in brackets, how many times as long as batchinv's it is. The two shares are of the
machine's limits: a copy of the bytes, which binds the small orders, and multiply-adds, which bind the large. The rows must come from one
run on one machine, and a peer without a time has an empty cell.
"""

import json
import sys

UNITS = ((1e-6, 1e9, "ns"), (1e-3, 1e6, "µs"), (1.0, 1e3, "ms"), (float("inf"), 1.0, "s"))


def main(paths):
    if not paths:
        print(__doc__, file=sys.stderr)
        return 2
    rows = []
    for path in paths:
        with open(path, encoding="utf-8") as file:
            rows += json.load(file)
    for scalar in dict.fromkeys(row["scalar"] for row in rows):
        print("\n".join(table([row for row in rows if row["scalar"] == scalar])), end="\n\n")
    return 0


def table(rows):
    """The lines of one scalar's table."""
    ours = [row for row in rows if row["program"].startswith("batchinv ")]
    peers = list(dict.fromkeys(row["engine"] for row in rows if row not in ours))
    lines = [f"| {rows[0]['scalar']} | batchinv | kernel | of copy | of peak | " + " | ".join(peers) + " |"]
    lines.append("|---" * (5 + len(peers)) + "|")
    for row in ours:
        base = each(row)
        beside = {(r["engine"], r["order"]): each(r) for r in rows if r not in ours}
        cells = [cell(beside.get((peer, row["order"])), base) for peer in peers]
        own = [str(row["order"]), time(base), row["kernel"], of_copy(row), of_peak(row)]
        lines.append("| " + " | ".join(own + cells) + " |")
    return lines


def each(row):
    """Seconds for one matrix, or None."""
    return row["total_seconds"] and row["total_seconds"] / row["len"]


def cell(seconds, base):
    return f"{time(seconds)} ({seconds / base:.3g})" if seconds else ""


def time(seconds):
    factor, unit = next((factor, unit) for below, factor, unit in UNITS if seconds < below)
    return f"{seconds * factor:.3g} {unit}"


def of_copy(row):
    """The share of the time that a plain copy of the same bytes takes, on as many threads."""
    return f"{row['copy_seconds'] / row['total_seconds']:.0%}" if row["copy_seconds"] else ""


def of_peak(row):
    """The share of the processor's multiply-add peak, at 2 n^3 for a matrix, four times that for a complex one."""
    if not row.get("peak_gflops"):
        return ""
    work = (8 if row["scalar"].startswith("complex") else 2) * row["len"] * row["order"] ** 3
    return f"{work / row['total_seconds'] / row['peak_gflops'] / 1e9:.1%}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
