"""`solve` is `np.linalg.solve` to the letter, and `solve_ex` says of each system what happened to it."""

import tracemalloc

import numpy as np
import pytest
from conftest import LAYOUTS, SCALARS, assert_alike, drawn
from hypothesis import given, settings
from hypothesis import strategies as st

import batchinv as bi

SHAPES = [
    ((1, 1), (1,)),
    ((4, 4), (4,)),
    ((4, 4), (4, 1)),
    ((33, 33), (33, 5)),
    ((700, 4, 4), (4,)),
    ((700, 4, 4), (700, 4, 2)),
    ((40, 20, 20), (40, 20, 1)),
    ((2, 3, 8, 8), (2, 3, 8, 3)),
    ((3, 3), (50, 3, 2)),
    ((1, 3, 3), (50, 3, 2)),
    ((50, 3, 3), (3, 2)),
    ((50, 3, 3), (1, 1, 3, 2)),
    ((5, 1, 3, 3), (1, 7, 3, 2)),
    ((5, 1, 3, 3), (5, 7, 3, 2)),
    ((7, 3, 3), (5, 7, 3, 2)),
    ((5, 7, 3, 3), (5, 1, 3, 2)),
    ((2, 1, 4, 1, 3, 3), (3, 1, 5, 3, 1)),
]
EMPTY_SHAPES = [
    ((0, 0), (0,)),
    ((0, 0), (0, 0)),
    ((0, 0), (0, 3)),
    ((5, 0, 0), (0,)),
    ((3, 1, 0, 0), (1, 4, 0, 2)),
    ((2, 2), (2, 0)),
    ((1, 2, 2), (3, 2, 0)),
    ((0, 3, 3), (3,)),
    ((0, 3, 3), (3, 2)),
    ((0, 3, 3), (1, 3, 2)),
    ((3, 3), (0, 3, 2)),
    ((0, 4, 3, 3), (4, 3, 2)),
    ((3, 1, 3, 3), (1, 0, 3, 2)),
]


def assert_like_numpy(a, b):
    got = bi.solve(a, b)
    assert_alike(got, np.linalg.solve(a, b))
    assert got.flags.writeable
    solution, status = bi.solve_ex(a, b)
    assert np.array_equal(solution, got)
    assert status.dtype == np.int32 and np.shape(status) == np.shape(got)[: -1 if np.ndim(b) == 1 else -2]
    assert np.all(status == 0)


@pytest.mark.parametrize("dtype", SCALARS)
@pytest.mark.parametrize(("shape", "rhs"), SHAPES + EMPTY_SHAPES)
def test_shapes_and_scalars(matrices, rng, shape, rhs, dtype):
    assert_like_numpy(matrices(shape, dtype), rng.standard_normal(rhs).astype(dtype))


@pytest.mark.parametrize("left", list("?bBhHiIqQfdFD"))
@pytest.mark.parametrize("right", list("?bBhHiIqQfdFD"))
def test_dtypes_go_together_as_in_numpy(left, right):
    a = np.array([[[3, 1], [1, 2]], [[1, 0], [1, 1]]]).astype(left) if left != "?" else np.eye(2, dtype=bool)
    assert_like_numpy(a, np.array([[1], [2]]).astype(right))
    assert_like_numpy(a, np.array([1, 2]).astype(right))


def test_float32_is_computed_in_double_unless_asked(matrices, rng):
    a, b = matrices((200, 8, 8), np.float32), rng.standard_normal((200, 8, 3)).astype(np.float32)
    in_double = np.linalg.solve(a.astype(np.float64), b.astype(np.float64)).astype(np.float32)
    np.testing.assert_array_max_ulp(bi.solve(a, b), in_double, 1)
    native = bi.solve(a, b, precision="native")
    assert native.dtype == np.float32 and not np.array_equal(native, bi.solve(a, b))


@pytest.mark.parametrize(
    ("a", "b"),
    [([[2.0, 1.0], [1.0, 3.0]], [1, 2]), ([[[1, 2], [3, 4]]], [[1], [2j]]), (((2j, 0), (0, 1)), (1, 2)), ([[4]], [8])],
    ids=str,
)
def test_nested_sequences(a, b):
    assert_like_numpy(a, b)


@pytest.mark.parametrize("a", [1.0, [1.0, 2.0], np.zeros((3, 4)), np.zeros((2, 3, 1)), np.zeros((0, 2)), []], ids=str)
def test_matrices_that_numpy_refuses(a):
    for b in (np.zeros(3), np.zeros((3, 1)), 1.0):
        with pytest.raises(np.linalg.LinAlgError) as theirs:
            np.linalg.solve(a, b)
        for call in (bi.solve, bi.solve_ex):
            with pytest.raises(np.linalg.LinAlgError) as ours:
                call(a, b)
            assert str(ours.value) == str(theirs.value)


@pytest.mark.parametrize(
    ("shape", "rhs", "words"),
    [
        ((2, 2), (), "scalar"),
        ((2, 2), (3,), r"b of shape \(3,\) has 3 rows, and the matrices have 2$"),
        ((2, 2), (3, 1), "3 rows"),
        ((2, 2), (1, 2), "1 rows"),
        ((3, 2, 2), (3, 2), r"have 2: for one vector to each matrix, pass b\[..., np.newaxis\]$"),
        ((0, 2, 2), (0, 2), "0 rows"),
        ((2, 0, 0), (1, 2), "1 rows"),
        ((4, 2, 2), (3, 2, 1), "mismatch"),
        ((0, 2, 2), (3, 2, 1), "mismatch"),
        ((2, 0, 2, 2), (3, 1, 2, 1), "mismatch"),
    ],
    ids=str,
)
def test_right_hand_sides_that_numpy_refuses(shape, rhs, words):
    a, b = np.zeros(shape), np.zeros(rhs)
    with pytest.raises(ValueError):
        np.linalg.solve(a, b)
    for call in (bi.solve, bi.solve_ex):
        with pytest.raises(ValueError, match=words):
            call(a, b)


@pytest.mark.parametrize("dtype", [np.float16, np.longdouble, np.clongdouble, object, "U3", "M8[s]", "m8[s]", "V8"])
def test_dtypes_that_numpy_refuses(dtype):
    good, bad = np.eye(2), np.zeros((2, 2), dtype)
    for a, b in [(good, bad), (bad, good), (good, np.zeros(3, dtype))]:
        with pytest.raises(TypeError):
            np.linalg.solve(a, b)
        for call in (bi.solve, bi.solve_ex):
            with pytest.raises(TypeError, match="unsupported in linalg"):
                call(a, b)


@pytest.mark.parametrize("dtype", SCALARS)
def test_singular_matrices(matrices, rng, dtype):
    a, b = matrices((3, 4, 5, 5), dtype), rng.standard_normal((3, 4, 5, 2)).astype(dtype)
    a[1, 2, :, 3] = 0
    a[2, 0] = 0
    with pytest.raises(np.linalg.LinAlgError) as theirs:
        np.linalg.solve(a, b)
    # On the way through the rules, too.
    for right in (b, b[:1, :1], b[:1], b[0, 0, :, 0], b.astype(complex)):
        with pytest.raises(bi.SingularMatrixError) as ours:
            bi.solve(a, right)
        assert str(ours.value) == str(theirs.value) == "Singular matrix"
        assert (ours.value.index, ours.value.column) == ((1, 2), 4)
    with pytest.raises(bi.SingularMatrixError) as ours:
        bi.solve(a[2, 0], b)
    assert (ours.value.index, ours.value.column) == ((0, 0), 1)
    with pytest.raises(bi.SingularMatrixError):
        bi.solve(a, b[..., :0])

    solution, status = bi.solve_ex(a, b)
    assert status.tolist() == [[0, 0, 0, 0], [0, 0, 4, 0], [1, 0, 0, 0]]
    assert np.isnan(solution[status != 0]).all()
    assert np.array_equal(solution[status == 0], bi.solve(a[status == 0], b[status == 0]))
    solution, status = bi.solve_ex(a[2, 0], b[0, 0, :, 0])
    assert type(status) is np.int32 and status == 1 and np.isnan(solution).all()


def test_not_finite_is_no_error(matrices, rng):
    a, b = matrices((6, 4, 4)), rng.standard_normal((6, 4, 1))
    a[1, 0, 2], a[2, 3, 3], b[3, 1] = np.nan, np.inf, -np.inf
    a[4] = np.eye(4) * 1e-310  # The solution overflows.
    with np.errstate(all="raise"):
        got = bi.solve(a, b)
    assert np.isnan(got[1:5]).all()
    np.testing.assert_allclose(got[[0, 5]], np.linalg.solve(a[[0, 5]], b[[0, 5]]))
    assert bi.solve_ex(a, b).status.tolist() == [0, -1, -1, -1, -1, 0]


@pytest.mark.parametrize("dtype", SCALARS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts_in(matrices, layout, dtype):
    a, b = matrices((6, 5, 5), dtype), matrices((6, 5, 5), dtype)[..., :3].copy()
    want, before = bi.solve(a, b), [a.copy(), b.copy()]
    for matrix, rhs in [(LAYOUTS[layout](a), b), (a, LAYOUTS[layout](b)), (LAYOUTS[layout](a), LAYOUTS[layout](b))]:
        assert np.array_equal(bi.solve(matrix, rhs), want)
        assert np.array_equal(matrix, before[0]) and np.array_equal(rhs, before[1])


@pytest.mark.parametrize("layout", [name for name in LAYOUTS if name != "read-only"])
@pytest.mark.parametrize("call", ["solve", "solve_ex"])
@pytest.mark.parametrize(("shape", "rhs"), [((6, 5, 5), (6, 5, 3)), ((6, 5, 5), (5,)), ((6, 1, 5, 5), (1, 2, 5, 3))])
def test_layouts_out(matrices, rng, call, layout, shape, rhs):
    a, b = matrices(shape), rng.standard_normal(rhs)
    want = bi.solve(a, b)
    out = LAYOUTS[layout](np.full_like(want, 7))
    got = bi.solve(a, b, out=out) if call == "solve" else bi.solve_ex(a, b, out=out).solution
    assert got is out
    assert np.array_equal(out, want)


def test_out_may_be_an_input_or_overlap_one(matrices, rng):
    a, b = matrices((6, 5, 5)), rng.standard_normal((6, 5, 5))
    want = bi.solve(a, b)
    for k in range(2):
        inputs = [a.copy(), b.copy()]
        assert bi.solve(*inputs, out=inputs[k]) is inputs[k]
        assert np.array_equal(inputs[k], want)
    memory = np.concatenate([b, b[:1]])
    assert np.array_equal(bi.solve(a, memory[:-1], out=memory[1:]), want)


@pytest.mark.parametrize(
    ("out", "error", "words"),
    [
        (np.empty((3, 3)), ValueError, r"\(3, 3\).*\(2, 3, 1\)"),
        (np.empty((2, 3)), ValueError, "shape"),
        (np.empty((2, 3, 1), int), TypeError, "int64.*float64"),
        (np.frombuffer(bytes(48)).reshape(2, 3, 1), ValueError, "out is read-only"),
        ([[1.0]], TypeError, "list"),
    ],
    ids=["shape", "axes", "dtype", "read-only", "list"],
)
def test_out_that_does_not_fit(matrices, out, error, words):
    for call in (bi.solve, bi.solve_ex):
        with pytest.raises(error, match=words):
            call(matrices((2, 3, 3)), np.zeros((3, 1)), out=out)


def test_subclasses_come_back_as_that_of_the_right_hand_side(matrices):
    class Labeled(np.ndarray):
        pass

    a, b = matrices((3, 3)), np.arange(3.0)
    assert type(bi.solve(a, b.view(Labeled))) is Labeled is type(np.linalg.solve(a, b.view(Labeled)))
    assert type(bi.solve(a.view(Labeled), b)) is np.ndarray is type(np.linalg.solve(a.view(Labeled), b))
    assert type(bi.solve_ex(a, b.view(Labeled)).solution) is Labeled


class Quantity(np.ndarray):
    """A number with a unit, of which only the overridden functions know what becomes."""

    def __array_function__(self, func, types, args, kwargs):
        return func(*map(np.asarray, args)).view(Quantity)


def test_functions_that_a_type_overrides(matrices):
    a, b = matrices((3, 3)), np.arange(3.0)
    for left, right in [(a.view(Quantity), b), (a, b.view(Quantity))]:
        assert type(bi.solve(left, right)) is Quantity
        with pytest.raises(TypeError, match="Quantity overrides NumPy's functions"):
            bi.solve_ex(left, right)
        with pytest.raises(TypeError, match="neither out nor axes"):
            bi.solve(left, right, out=b)


def test_the_arguments_have_their_names(matrices):
    a, b = matrices((3, 3)), np.ones(3)
    want = bi.solve(a, b)
    assert all(
        np.array_equal(got, want)
        for got in (bi.solve(b=b, a=a), bi.solve_ex(a=a, b=b).solution, bi.Inverter("cpu").solve(a=a, b=b))
    )


def test_an_inverter_is_the_functions_with_its_options(matrices):
    a, b = matrices((300, 6, 6), np.float32), np.ones((6, 1), np.float32)
    native = bi.Inverter("cpu", precision="native")
    assert np.array_equal(native.solve(a, b), bi.solve(a, b, engine="cpu", precision="native"))
    out = np.empty((300, 6, 1), np.float32)
    assert native.solve_ex(a.mT, b, out=out).solution is out
    assert np.array_equal(out, bi.solve(a.mT, b, precision="native"))


@pytest.mark.parametrize(("failure", "filling"), [("nan", np.nan), ("zero", 0.0), ("input", 3.0)])
def test_what_stands_for_a_missing_solution(failure, filling):
    solution, status = bi.Inverter(on_failure=failure).solve_ex(np.zeros((2, 2, 2)), [3.0, 3.0])
    assert status.tolist() == [1, 1] and np.array_equal(solution, np.full((2, 2), filling), equal_nan=True)


@pytest.mark.parametrize("options", [{"min_rcond": 1e-9}, {"on_failure": "identity"}], ids=str)
def test_options_that_systems_have_not(options):
    with pytest.raises(bi.EngineError, match="solve"):
        bi.Inverter(**options).solve(np.eye(2), np.ones(2))


def test_shared_matrices_are_not_copied(matrices, rng):
    """Matrices of one for all, or of one for many, take no memory for each system."""

    def peak(a, b):
        tracemalloc.start()
        got = bi.solve(a, b)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        np.testing.assert_allclose(got, np.linalg.solve(a, b), rtol=1e-10, atol=1e-12)
        return most

    a, b = matrices((1, 64, 64)), rng.standard_normal((600, 64, 1))
    assert peak(a, b) < 2 * b.nbytes
    assert peak(matrices((600, 64, 64)), b[:1]) < 2 * b.nbytes
    # The matrices of all these systems would take 105 MB, and parts of them are 17 MB at most.
    assert peak(matrices((1, 40, 64, 64)), rng.standard_normal((80, 1, 64, 1))) < 25e6


def test_parts_of_shared_matrices_end_up_in_their_places(matrices, rng, monkeypatch):
    from batchinv import _solve

    a, b = matrices((1, 4, 1, 3, 3)), rng.standard_normal((3, 1, 5, 3, 2))
    a[0, 2, 0] = 0
    want = bi.solve_ex(a, b)
    assert want.status.tolist() == 3 * [[5 * [0], 5 * [0], 5 * [1], 5 * [0]]]
    # A system has 120 bytes.
    for most in (1, 120, 700, 2000, 3000, 6000):
        monkeypatch.setattr(_solve, "COPIES", most)
        got = bi.solve_ex(a, b)
        assert all(np.array_equal(x, y, equal_nan=True) for x, y in zip(got, want, strict=True))


@pytest.mark.parametrize(("shape", "rhs"), [((4000, 32, 32), (4000, 32, 2)), ((64, 64), (10_000, 64, 1))], ids=str)
def test_pieces_of_a_long_call_end_up_in_their_places(matrices, rng, shape, rhs):
    """A call this long runs in pieces, between which signals are heard."""
    a, b = matrices(shape), rng.standard_normal(rhs)
    b[-1, 0], b[len(b) // 2, 0] = np.nan, np.inf
    whole = bi.solve_ex(a, b)
    assert np.flatnonzero(whole.status).tolist() == [len(b) // 2, len(b) - 1]
    for part in (slice(None, 50), slice(-50, None)):
        few = bi.solve_ex(a[part] if a.ndim > 2 else a, b[part])
        assert np.array_equal(few.solution, whole.solution[part], equal_nan=True)


@pytest.mark.parametrize(("shape", "rhs"), [((5000, 4, 4), (4, 3)), ((300, 40, 40), (300, 40, 1))], ids=str)
def test_bits_do_not_depend_on_threads(matrices, rng, shape, rhs):
    a, b = matrices(shape, np.float32), rng.standard_normal(rhs).astype(np.float32)
    want = bi.solve(a, b, threads=1)
    assert all(np.array_equal(bi.solve(a, b, threads=threads), want) for threads in (2, 3))


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.data())
def test_any_arrays_as_numpy_does_it(data):
    dtypes = st.sampled_from([">f4", "<f4", ">f8", "<f8", ">c8", "<c8", ">c16", "<c16", "i4", "u1", "?"])
    n, k = data.draw(st.integers(0, 9), "order"), data.draw(st.none() | st.integers(0, 4), "columns")
    leading = data.draw(st.lists(st.integers(0, 4), max_size=3), "leading axes")

    def shared(name):
        """The leading axes, some of them of length 1, and without some of the first."""
        axes = [data.draw(st.sampled_from([axis, 1]), f"an axis of {name}") for axis in leading]
        return axes[data.draw(st.integers(0, len(axes)), f"axes that {name} lacks") :]

    a = drawn(data, (*shared("a"), n, n), data.draw(dtypes.filter(lambda dtype: dtype not in ("u1", "?"))), "a")
    b = drawn(data, (n,) if k is None else (*shared("b"), n, k), data.draw(dtypes), "b")
    assert_like_numpy(a, b)

    if a.size and data.draw(st.booleans(), "a column of zeros"):
        a[..., :, data.draw(st.integers(0, n - 1), "its number")] = 0
        if bi.solve_ex(a, b).status.size:
            for solve in (np.linalg.solve, bi.solve):
                with pytest.raises(np.linalg.LinAlgError, match="Singular matrix"):
                    solve(a, b)
