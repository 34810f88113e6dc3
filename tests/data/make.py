"""Writes the .npy files in this folder with NumPy. Run it in this folder: python make.py

NAME.npy            the input
NAME.expected.npy   its np.linalg.inv, in C order and little-endian; NaN if a matrix has no inverse
NAME.status.npy     0 inverted, k >= 1 singular at column k, -1 not finite; int32
arrays.npz          some of the inputs by their names, as np.savez writes them; packed.npz, as np.savez_compressed
NAME.rcond.npy      1 / (||A||_1 ||A^-1||_1); 0 if singular, NaN if not finite, inf at order 0; float64

The files were made with NumPy 2.4. Another version, or another BLAS, may change the last digits.
"""

import numpy as np
from numpy.lib import format as npy

rng = np.random.default_rng(20260114)


def verdict(a, x):
    """The status of one matrix: textbook Gauss-Jordan elimination, in the precision of the input."""
    if not np.isfinite(a).all():
        return -1
    a = a.copy()
    n = len(a)
    for k in range(n):
        column = np.abs(a[k:, k].real) + np.abs(a[k:, k].imag)
        p = k + int(np.argmax(column))
        if column[p - k] == 0:
            return k + 1
        a[[k, p]] = a[[p, k]]
        a[k] = a[k] / a[k, k]
        for i in range(n):
            if i != k:
                a[i] = a[i] - a[i, k] * a[k]
    return 0 if np.isfinite(x).all() else -1


def norm(a):
    return np.abs(a.astype(complex)).sum(axis=-2).max(axis=-1, initial=0)


def save(name, a, version=None):
    with open(f"{name}.npy", "wb") as file:
        npy.write_array(file, a, version=version)
    scalar = a.dtype.newbyteorder("=") if a.dtype.kind in "fc" else np.dtype(float)
    stack = np.ascontiguousarray(a).astype(scalar)
    leading, n = stack.shape[:-2], stack.shape[-1]
    expected = np.full(stack.shape, np.nan * (1 + 1j) if scalar.kind == "c" else np.nan, scalar)
    status = np.zeros(leading, np.int32)
    rcond = np.full(leading, np.inf)
    for m in np.ndindex(leading if n else (0,)):
        try:
            with np.errstate(all="ignore"):
                x = np.linalg.inv(stack[m])
        except np.linalg.LinAlgError:
            x = expected[m]
        with np.errstate(all="ignore"):
            status[m] = verdict(stack[m], x)
        if status[m] == 0:
            expected[m] = x
            rcond[m] = 1 / (norm(stack[m]) * norm(x))
        else:
            rcond[m] = 0 if status[m] > 0 else np.nan
    for suffix, result in [("expected", expected), ("status", status), ("rcond", rcond)]:
        np.save(f"{name}.{suffix}.npy", result)
    print(f"{name:18} {a.dtype.str:5} {str(a.shape):14} status {status.ravel()[:12].tolist()}")


def normal(*shape):
    return rng.standard_normal(shape)


def diagonally_heavy(*shape):
    """Random, and far from singular."""
    return normal(*shape) + 3 * np.sqrt(shape[-1]) * np.eye(shape[-1])


def rotation(axis, angle):
    x, y, z = axis / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def rig(joints):
    """Bind poses of a character's joints, in meters, each rotated and offset from its parent."""
    poses = []
    for joint in range(joints):
        local = np.eye(4)
        local[:3, :3] = rotation(normal(3), rng.uniform(-1.2, 1.2)) * rng.uniform(0.9, 1.1)
        local[:3, 3] = normal(3) * 0.05 + [0, 0.15 if joint else 0.95, 0]
        poses.append((poses[rng.integers(max(0, joint - 3), joint)] if joint else np.eye(4)) @ local)
    return np.array(poses)


def covariances(count, variables, samples):
    """Covariances of correlated variables of different scales, from more samples than variables."""
    mixing = np.eye(variables) + 0.05 * normal(count, variables, variables)
    x = normal(count, samples, variables) @ mixing * rng.uniform(0.5, 2, (count, 1, variables))
    x -= x.mean(axis=1, keepdims=True)
    return np.swapaxes(x, 1, 2) @ x / (samples - 1)


# The demonstration: portfolio-sized covariance matrices.
save("covariances", covariances(128, 32, 256).astype(np.float32))

# Skinning multiplies by the inverse of each joint's bind pose.
save("rig", rig(24).astype(np.float32))

# The four scalars.
save("float32", normal(10, 5, 5).astype(np.float32))
save("float64", normal(10, 6, 6))
save("complex64", (normal(6, 4, 4) + 1j * normal(6, 4, 4)).astype(np.complex64))
save("complex128", normal(6, 3, 3) + 1j * normal(6, 3, 3))
save("order1", np.array([[[4.0]], [[-0.5]], [[0.0]]], np.float32))
save("order17", diagonally_heavy(3, 17, 17).astype(np.float32))

# Both byte orders and both memory orders.
save("big_float32", normal(3, 4, 4).astype(">f4"))
save("big_float64", normal(3, 4, 4).astype(">f8"))
save("big_complex64", (normal(3, 2, 2) + 1j * normal(3, 2, 2)).astype(">c8"))
save("big_complex128", (normal(3, 2, 2) + 1j * normal(3, 2, 2)).astype(">c16"))
save("big_int16", rng.integers(-300, 300, (3, 3, 3)).astype(">i2"))
save("fortran", np.asfortranarray(normal(2, 3, 4, 4)))
save("fortran_many", np.asfortranarray(diagonally_heavy(70, 3, 3).astype(np.float32)))
save("fortran_matrix", np.asfortranarray(normal(5, 5)))
save("fortran_big", np.asfortranarray(normal(3, 4, 4).astype(">f8")))
save("fortran_int", np.asfortranarray(rng.integers(-9, 9, (4, 3, 3))))

# The types that are converted to float64.
save("bool", np.array([[[1, 1, 0], [0, 1, 1], [1, 0, 1]], [[1, 1, 0], [0, 1, 1], [1, 1, 0]]], bool))
for kind in ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]:
    dtype = np.dtype(kind)
    limits = np.iinfo(dtype)
    # The limits of the type are on the diagonal, to show that their values survive the conversion.
    a = rng.integers(0, 9, (2, 3, 3)).astype(dtype)
    a[0, 0, 0], a[0, 1, 1], a[0, 2, 2] = limits.max, limits.max - 1, max(limits.min, -limits.max) or 7
    save(dtype.name, a)

# Matrices without an inverse among others that have one. Their zero pivots are zero in any arithmetic: every divisor is
# a power of two, or every subtrahend is 0.
a = np.clip(np.round(2 * normal(12, 4, 4)), -9, 9)
a[:, range(4), range(4)] = 16
a[1, :, 0] = 0
a[2, 2, :] = 0
a[3] = 0
a[5, 2] = a[5, 0]
a[7, 0, 3] = np.nan
a[8, 3, 0] = np.inf
a[9] = np.diag([1, 2, 1e-310, 4])
a[10, :, 1] = 2 * a[10, :, 0]
save("singular", a)
a = a[:9].astype(np.complex64) * (1 + 1j)
a[4, 1, 1] = complex(0, -np.inf)
save("singular_complex", a)
save("singular_matrix", np.array([[1.0, 2.0], [2.0, 4.0]]))

# Shapes.
save("matrix", normal(4, 4))
save("axes", normal(2, 3, 4, 4).astype(np.float32))
save("empty", np.zeros((0, 4, 4), np.float32))
save("empty_axes", np.zeros((2, 0, 3, 3)))
save("order0", np.zeros((3, 0, 0), np.float32))
save("order0_matrix", np.zeros((0, 0)))

# Header versions. NumPy writes the later ones only if it must, or is told to.
for version in [1, 2, 3]:
    save(f"version{version}", normal(2, 3, 3), version=(version, 0))

names = ["axes", "big_complex128", "complex64", "empty", "float32", "fortran", "int16", "order0", "singular"]
np.savez("arrays.npz", **{name: np.load(f"{name}.npy") for name in names})
np.savez_compressed("packed.npz", **{name: np.load(f"{name}.npy") for name in names})
