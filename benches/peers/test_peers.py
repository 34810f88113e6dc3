"""Tests that need neither NumPy nor a GPU: python3 -m unittest benches/peers/test_peers.py"""

import contextlib
import glob
import io
import json
import os
import py_compile
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import measure
import schema


def script(name, *arguments, **environment):
    """Runs a script as a user would."""
    return subprocess.run(
        [sys.executable, os.path.join(HERE, name), *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )


class Scripts(unittest.TestCase):
    def test_every_file_compiles(self):
        with tempfile.TemporaryDirectory() as folder:
            for path in glob.glob(os.path.join(HERE, "*.py")):
                py_compile.compile(path, cfile=os.path.join(folder, "out.pyc"), doraise=True)

    def test_dry_run_prints_the_rows_without_times(self):
        ran = script("cuda.py", "--dry-run", "--order", "4,33", "--scalar", "complex64,float32", "--threads", "3")
        self.assertEqual((ran.returncode, ran.stderr), (0, ""))
        rows = json.loads(ran.stdout)
        # matinvBatched stops at order 32.
        engines = ["torch", "cupy", "cublas-matinv", "cublas-getri"]
        self.assertEqual([r["engine"] for r in rows], 2 * (engines + ["torch", "cupy", "cublas-getri"]))
        self.assertEqual([r["scalar"] for r in rows], 7 * ["complex64"] + 7 * ["float32"])
        for r in rows:
            self.assertEqual(list(r), list(schema.FIELDS))
            self.assertEqual((r["schema"], r["threads"], r["repeats"]), (1, 3, 10))
            self.assertEqual({r[name] for name in r if name.endswith("_seconds")}, {None})
            self.assertGreaterEqual(r["len"], 16)

    def test_dry_run_of_other_operations(self):
        def rows(name, *arguments):
            ran = script(name, "--dry-run", "--order", "8", "--scalar", "float32", *arguments)
            self.assertEqual((ran.returncode, ran.stderr), (0, ""))
            return [(r["engine"], r["op"], r["width"], r["len"]) for r in json.loads(ran.stdout)]

        # 8 x 8 elements, and with 24 columns four times as many, in 8 MiB and 256 MiB.
        self.assertEqual(rows("cpu.py", "--peer", "numpy"), [("numpy", "inverse", None, 1 << 15)])
        solvers = ["numpy", "scipy", "mkl-compact"]
        expected = [(name, "solve", 24, 1 << 13) for name in solvers]
        self.assertEqual(rows("cpu.py", "--op", "solve", "--width", "24"), expected)
        self.assertEqual(rows("cpu.py", "--op", "det"), [("numpy", "det", None, 1 << 15)])
        solvers = ["torch", "cupy", "cublas-getrs"]
        found = rows("cuda.py", "--op", "solve", "--len", "9")
        self.assertEqual(found, [(name, "solve", 1, 9) for name in solvers])
        self.assertEqual([name for name, *_ in rows("cuda.py", "--op", "det")], ["torch", "cupy"])

    def test_table_joins_rows_by_order(self):
        def line(program, engine, order, seconds, peak=None):
            row = schema.row(program=program, engine=engine, kernel="lanes", scalar="float64", order=order, len=10)
            return {**row, "total_seconds": seconds, "copy_seconds": peak and seconds / 2, "peak_gflops": peak}

        rows = [line("batchinv 1", "cpu", 2, 1e-6, 1.6), line("batchinv 1", "cpu", 50, 1e-3), line("n 2", "n", 2, 3e-6)]
        with tempfile.TemporaryDirectory() as folder:
            paths = [os.path.join(folder, "ours.json"), os.path.join(folder, "peers.json")]
            schema.write_json(rows[:2], paths[0])
            schema.write_json(rows[2:] + [line("n 2", "n", 50, None)], paths[1])
            ran = script("table.py", *paths)
        self.assertEqual((ran.returncode, ran.stderr), (0, ""))
        expected = ["| float64 | batchinv | kernel | of copy | of peak | n |", "|---|---|---|---|---|---|"]
        expected += ["| 2 | 100 ns | lanes | 50% | 10.0% | 300 ns (3) |", "| 50 | 100 µs | lanes |  |  |  |"]
        self.assertEqual(ran.stdout.split("\n"), [*expected, "", ""])

    def test_table_has_one_part_per_operation(self):
        common = dict(scalar="float64", order=4, len=10, total_seconds=1e-6, peak_gflops=10.0)
        old = schema.row(program="batchinv 1", engine="cpu", kernel="lanes", **common)
        del old["op"], old["width"]
        solve = schema.row(program="batchinv 1", engine="cpu", kernel="lanes", op="solve", width=2, **common)
        peer = schema.row(program="n 2", engine="n", kernel="solve", op="solve", width=2, **common)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "rows.json")
            schema.write_json([old, solve, peer], path)
            ran = script("table.py", path)
        self.assertEqual((ran.returncode, ran.stderr), (0, ""))
        # 2 n^3 and 2/3 n^3 + 2 n^2 R operations, ten times in a microsecond, of 10 GFLOP/s
        expected = ["| float64 | batchinv | kernel | of copy | of peak |", "|---|---|---|---|---|"]
        expected += ["| 4 | 100 ns | lanes |  | 12.8% |", ""]
        expected += ["| float64, solve of 2 | batchinv | kernel | of copy | of peak | n |", "|---|---|---|---|---|---|"]
        expected += ["| 4 | 100 ns | lanes |  | 10.7% | 100 ns (1) |"]
        self.assertEqual(ran.stdout.split("\n"), [*expected, "", ""])

    def test_table_of_device_times(self):
        common = dict(scalar="float32", order=8, len=10, total_seconds=1.0, copy_seconds=1e-3)
        ours = schema.row(program="batchinv 1", engine="gpu", kernel="thread", device_seconds=1e-6, **common)
        ours["device_copy_seconds"] = 9e-7
        cpu = schema.row(program="batchinv 1", engine="cpu", kernel="lanes", **common)
        peer = schema.row(program="t 2", engine="torch", kernel="inv_ex", device_seconds=2e-6, **common)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "rows.json")
            schema.write_json([ours, cpu, peer], path)
            ran = script("table.py", "--device", path)
        self.assertEqual((ran.returncode, ran.stderr), (0, ""))
        expected = ["| float32 | batchinv | kernel | of copy | of peak | torch |", "|---|---|---|---|---|---|"]
        expected += ["| 8 | 100 ns | thread | 90% |  | 200 ns (2) |"]
        self.assertEqual(ran.stdout.split("\n"), [*expected, "", ""])

    def test_dry_run_takes_len_peer_and_json(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "rows.json")
            ran = script("cpu.py", "--dry-run", "--order", "2", "--len", "7", "--peer", "mkl,scipy", "--json", path)
            self.assertEqual((ran.returncode, ran.stdout), (0, ""))
            with open(path, encoding="utf-8") as file:
                rows = json.load(file)
        found = [(r["engine"], r["scalar"], r["len"]) for r in rows]
        expected = [(e, s, 7) for s in ("float32", "float64") for e in ("mkl-compact", "scipy")]
        self.assertEqual(found, expected)

    def test_without_a_gpu_cuda_exits_3_with_one_line(self):
        ran = script("cuda.py", "--order", "2", CUDA_VISIBLE_DEVICES="-1")
        self.assertEqual((ran.returncode, ran.stdout), (3, ""))
        self.assertEqual(len(ran.stderr.splitlines()), 1)

    def test_bad_arguments_exit_2(self):
        numbers = (["--order", "0"], ["--order", "2,"], ["--len", "-1"], ["--width", "2"])
        for bad in (*numbers, ["--scalar", "float16"], ["--peer", "gsl"], ["--op", "invert"]):
            for name in ("cpu.py", "cuda.py"):
                with self.subTest(name=name, bad=bad):
                    self.assertEqual(script(name, "--dry-run", *bad).returncode, 2)


class Shared(unittest.TestCase):
    def test_arguments_have_their_defaults(self):
        args = schema.arguments("", {"a": None, "b": None}, 8 << 20, [])
        self.assertEqual(args.order, [2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128])
        self.assertEqual(args.scalar, ["float32", "float64"])
        self.assertEqual((args.count, args.json, args.peer), (None, None, ["a", "b"]))

    def test_a_row_has_every_field_and_no_other(self):
        self.assertEqual(list(schema.row(order=4)), list(schema.FIELDS))
        with self.assertRaises(TypeError):
            schema.row(speed=1)

    def test_rows_are_a_json_list(self):
        for rows in ([], [schema.row(order=1)], [schema.row(order=1), schema.row(order=2)]):
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                schema.write_json(rows, "-")
            self.assertEqual(json.loads(printed.getvalue()), rows)

    def test_the_warm_up_is_not_among_the_repeats(self):
        calls = []
        taken = measure.collect(lambda i: calls.append(i) or float(i), 4)
        self.assertEqual(calls, [0, 1, 2, 3, 4])
        self.assertEqual(taken, [1.0, 2.0, 3.0, 4.0])

    def test_a_row_without_times_can_be_printed(self):
        printed = io.StringIO()
        table = schema.Table(printed)
        common = dict(op="inverse", scalar="float32", order=4, len=16)
        table.add(schema.row(engine="e", program="p", note="wrong answer", **common))
        table.end()
        self.assertIn("e: p; wrong answer", printed.getvalue())


if __name__ == "__main__":
    unittest.main()
