"""The row, the arguments, and the printed forms that all peer scripts share. Uses only the standard library.

A result is a JSON list of rows. Every row is complete in itself, so that lists from different programs and days can be
joined. Times are in seconds. A time is null if it was not measured: with --dry-run, if the peer has no such path, or if
the answer was wrong.
"""

import argparse
import datetime
import json
import math
import os
import platform
import subprocess
import sys

# The names are a contract: `batchinv bench --json` writes the same names, and `--with` reads them.
FIELDS = {
    "schema": "version of this list of names",
    "program": "the program or library, with its version",
    "engine": "the peer's name",
    "adapter": "the GPU's name, null on the CPU",
    "driver": "the GPU driver's version",
    "kernel": "the routine's name",
    "op": "inverse, solve or det",
    "scalar": "float32, float64, complex64 or complex128",
    "order": "n, for matrices n x n",
    "width": "columns of each right-hand side; null without any",
    "len": "matrices in the stack",
    "threads": "host threads that the peer may use",
    "repeats": "timed calls behind the best and the median of total_seconds",
    "total_seconds": "whole call, host memory to the caller's warm output; same as fresh_seconds without such a call",
    "total_median_seconds": "its median",
    "fresh_seconds": "whole call, host memory to an output that the call allocates",
    "fresh_median_seconds": "its median",
    "device_seconds": "the work alone on data resident on the GPU, from events; null on the CPU",
    "device_median_seconds": "its median",
    "work_seconds": "the work alone on data already in the routine's own layout on the CPU",
    "copy_seconds": "a plain copy of the same bytes: memcpy on one thread, or a copy within the device",
    "peak_gflops": "vector multiply-adds on as many threads without loads or stores; null for peers",
    "first_call_seconds": "the first call for this configuration, libraries loaded; null if not measured",
    "max_ratio": "largest test ratio seen, below the bound in stacks.py or nothing is timed",
    "machine": "CPU model and its threads",
    "commit": "batchinv's commit; null for peers",
    "date": "ISO date, UTC",
    "note": "anything that a fair comparison must know",
}
SCALARS = {"float32": 4, "float64": 8, "complex64": 8, "complex128": 16}
ORDERS = "2,3,4,6,8,12,16,24,32,48,64,96,128"
OPS = ("inverse", "solve", "det")


class Missing(Exception):
    """A package, library, or device that is missing; the text says which."""


def row(**values):
    """A row with every field; fields that are not given are null."""
    unknown = set(values) - set(FIELDS)
    if unknown:
        raise TypeError(f"no such field: {sorted(unknown)}")
    today = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    return {**dict.fromkeys(FIELDS), "schema": 1, "machine": machine(), "date": today, **values}


def arguments(description, peers, stack_bytes, argv=None):
    """Parses the options that both scripts share. `stack_bytes` is the size of an input stack without --len."""

    def names(choices):
        def parse(text):
            chosen = text.split(",")
            for name in chosen:
                if name not in choices:
                    raise argparse.ArgumentTypeError(f"{name!r} is not one of {', '.join(choices)}")
            return chosen

        return parse

    def positive(text):
        try:
            number = int(text)
        except ValueError:
            number = 0
        if number < 1:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
        return number

    def orders(text):
        return [positive(part) for part in text.split(",")]

    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--op", choices=OPS, default="inverse", help="what is computed; default inverse")
    parser.add_argument(
        "--width", type=positive, metavar="R", help="columns of each right-hand side, for --op solve; default 1"
    )
    parser.add_argument("--order", type=orders, default=orders(ORDERS), metavar="N,...", help=f"default {ORDERS}")
    parser.add_argument(
        "--scalar",
        type=names(SCALARS),
        default=["float32", "float64"],
        metavar="NAME,...",
        help=f"from {', '.join(SCALARS)}; default float32,float64",
    )
    parser.add_argument(
        "--len",
        type=positive,
        metavar="COUNT",
        dest="count",
        help=f"matrices in a stack; default {stack_bytes >> 20} MiB of input, and at least 16",
    )
    parser.add_argument("--repeats", type=positive, default=10, metavar="R", help="timed calls per kind; default 10")
    parser.add_argument("--threads", type=positive, default=cores(), metavar="T", help="host threads; default all")
    parser.add_argument(
        "--peer",
        type=names(peers),
        default=list(peers),
        metavar="NAME,...",
        help=f"from {', '.join(peers)}; default all",
    )
    parser.add_argument("--json", metavar="FILE", help="write rows to FILE; - is stdout, with the table on stderr")
    parser.add_argument("--dry-run", action="store_true", help="print the rows that would be timed, without times")
    args = parser.parse_args(argv)
    if args.width and args.op != "solve":
        parser.error("--width is about right-hand sides, which only --op solve has")
    args.width = (args.width or 1) if args.op == "solve" else 0
    args.stack_bytes = stack_bytes
    return args


def elements(op, order, width):
    """The elements of one matrix's input and output together; a determinant counts as none. `width` may be None."""
    return order * order + {"inverse": order * order, "solve": 2 * order * (width or 0), "det": 0}[op]


def flops(op, order, width):
    """Additions and multiplications by the formulas that `batchinv bench` explains."""
    return 2 * order**3 if op == "inverse" else 2 / 3 * order**3 + 2 * order * order * (width or 0)


def configurations(args, peers):
    """All requested (peer, scalar, order, len) that the peers support; the peers of a configuration are adjacent."""
    for scalar in args.scalar:
        for order in args.order:
            matrix_bytes = order * (order + args.width) * SCALARS[scalar]
            count = args.count or max(16, args.stack_bytes // matrix_bytes)
            for peer in peers:
                if args.op in peer.kernels and order <= peer.largest:
                    yield peer, scalar, order, count


def dry_rows(args, peers):
    """The rows of --dry-run: the configurations that would be timed, without times."""
    return [
        row(
            program=peer.package,
            engine=peer.name,
            kernel=peer.kernels[args.op],
            op=args.op,
            scalar=scalar,
            order=order,
            width=args.width or None,
            len=count,
            threads=args.threads,
            repeats=args.repeats,
        )
        for peer, scalar, order, count in configurations(args, peers)
    ]


def write_json(rows, path):
    """Writes one row per line. The path "-" is stdout."""
    lines = [json.dumps(each, ensure_ascii=False, allow_nan=False) for each in rows]
    text = "[\n" + ",\n".join(lines) + "\n]\n" if lines else "[]\n"
    if path == "-":
        sys.stdout.write(text)
    else:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)


class Table:
    """A table for humans, printed row by row as the times arrive."""

    COLUMNS = "{:<11}{:>6}{:>9}  {:<14}{:>12}{:>12}{:>12}{:>12}{:>9}{:>9}{:>8}"
    HEADS = "scalar order len engine total/ns median/ns fresh/ns alone/ns GB/s of-copy ratio".split()

    LEGEND = (
        "Times are per matrix, and the best unless marked median; alone excludes copies and packing.\n"
        "GB/s and of-copy use the device's time if there is one, and total otherwise."
    )

    def __init__(self, stream):
        self.stream = stream
        self.notes = {}

    def add(self, r):
        if not self.notes:
            self.line(*self.HEADS)
        self.notes.setdefault((r["engine"], r["program"], r["note"]))

        def each(seconds):
            return "-" if seconds is None else f"{seconds / r['len'] * 1e9:.1f}"

        # On a GPU the copy is within the device, so it is compared with the device's time.
        work = r["device_seconds"] or r["total_seconds"]
        moved = r["len"] * elements(r["op"], r["order"], r["width"]) * SCALARS[r["scalar"]]
        self.line(
            r["scalar"],
            r["order"],
            r["len"],
            r["engine"],
            each(r["total_seconds"]),
            each(r["total_median_seconds"]),
            each(r["fresh_seconds"]),
            each(r["device_seconds"] or r["work_seconds"]),
            f"{moved / work / 1e9:.2f}" if work else "-",
            f"{r['copy_seconds'] / work:.1%}" if work and r["copy_seconds"] else "-",
            "-" if r["max_ratio"] is None else f"{r['max_ratio']:.2g}",
        )

    def end(self):
        for engine, program, note in self.notes:
            print(f"{engine}: {program}" + (f"; {note}" if note else ""), file=self.stream)
        if self.notes:
            print(self.LEGEND, file=self.stream)

    def line(self, *cells):
        print(self.COLUMNS.format(*cells), file=self.stream, flush=True)


def finite(number):
    """The number, or None if JSON cannot represent it."""
    return number if math.isfinite(number) else None


def cores():
    """The number of threads that this process may run at once."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


_machine = None


def machine():
    """The CPU's model, and the number of its threads that this process may use."""
    global _machine
    if _machine is None:
        threads = cores()
        _machine = f"{cpu_model()}, {threads} thread{'s' if threads > 1 else ''}"
    return _machine


def cpu_model():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    if sys.platform == "darwin":
        asked = subprocess.run(["sysctl", "-n", "machdep.cpu.brand_string"], capture_output=True, text=True)
        if asked.returncode == 0:
            return asked.stdout.strip()
    return platform.processor() or platform.machine()
