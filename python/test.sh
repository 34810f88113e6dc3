#!/usr/bin/env bash
# Builds the Python package, installs it into a virtual environment of its own, and runs everything about it: its own
# tests, the types, and the suites of others with our `inv` in the place of theirs. From nothing, this takes 6 CPU
# minutes, 15 minutes by the clock on two cores that ten other programs used too; 2.5 if the Rust code is built already.
#
#   python/test.sh          all of this
#   python/test.sh --all    and a wheel built from the source distribution, as on a machine without a wheel
#
# On Debian, this installs what Python lacks for a virtual environment through apt. Libraries that cannot be installed
# here are skipped aloud. PyTorch is: its wheel needs gigabytes beside it. With PYTHON naming an interpreter, its
# version is tested instead of python3's.
set -euo pipefail
cd "$(dirname "$0")/.."

python=${PYTHON-python3}
if ! command -v "$python" >/dev/null; then
    echo "SKIPPED: the Python package, since there is no $python"
    exit
fi
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "SKIPPED: the Python package, which needs Python 3.11 or later; $("$python" --version) is older"
    exit
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null && command -v apt-get >/dev/null; then
    as_root apt-get update
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends python3-venv
fi

echo "-- a virtual environment"
"$python" -m venv "$scratch/venv"
PATH="$scratch/venv/bin:$PATH"
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_QUIET=1
pip install -r python/tests/requirements.txt
while read -r library; do
    pip install "$library" || echo "SKIPPED: tests with $library, which cannot be installed here"
done < <(grep -v '^#' python/tests/libraries.txt)

echo "-- the wheel"
maturin build --release --locked --manifest-path python/Cargo.toml --out "$scratch/wheels"
pip install --no-deps "$scratch"/wheels/*.whl
maturin sdist --manifest-path python/Cargo.toml --out "$scratch/sdist"
if [ "${1-}" = --all ]; then
    echo "-- a wheel from the source distribution"
    pip wheel --no-deps --wheel-dir "$scratch/from-sdist" "$scratch"/sdist/*.tar.gz
    pip install --no-deps --force-reinstall "$scratch"/from-sdist/*.whl
fi
tar -tzf "$scratch"/sdist/*.tar.gz >"$scratch/sdist.txt"
for needed in batchinv/_rules.py batchinv/_batchinv.pyi THIRD-PARTY.txt src/lib.rs shaders/kernel/thread.wgsl; do
    grep -q "/$needed$" "$scratch/sdist.txt" || { echo "the source distribution lacks $needed" >&2; exit 1; }
done

echo "-- licenses"
python tests/licenses.py python --check

echo "-- types"
mypy --strict --cache-dir "$scratch/mypy" python/batchinv python/tests/types tests/licenses.py
(cd "$scratch" && python -m mypy.stubtest batchinv)

echo "-- our own tests"
export HYPOTHESIS_STORAGE_DIRECTORY="$scratch/hypothesis"
run() { pytest -p no:cacheprovider --quiet -rs "$@"; }
run -W error --rootdir python/tests --ignore python/tests/foreign python/tests

# Without SwiftShader, which tests/run.sh adds and which has no float64.
unset VK_ADD_DRIVER_FILES

# The numbers are the calls that the suites make: a suite that does not reach us proves nothing.
echo "-- the suites of others"
export PYTHONPATH="$PWD/python/tests/foreign"
foreign() {
    local calls=$1
    shift
    run -p batchinv_in_numpy --rootdir "$scratch" --disable-warnings --batchinv-calls="$calls" --pyargs "$@"
}
cd "$scratch"
foreign inv:14313,solve:7345,det:7335,slogdet:7331 numpy.linalg.tests.test_linalg
foreign inv:18,solve:3,det:3,slogdet:3 numpy.matrixlib.tests
if python -c 'import scipy' 2>/dev/null; then
    foreign inv:68,solve:36 scipy.linalg.tests.test_batch -k "inv or test_solve"
fi
if python -c 'import batchinv, sys; sys.exit(not any(adapter["float64"] for adapter in batchinv.info()["adapters"][:1]))'
then
    foreign inv:14313,solve:7345,det:7335,slogdet:7331 numpy.linalg.tests.test_linalg --batchinv-engine=gpu
elif [ -n "${BATCHINV_REQUIRE_GPU-}" ]; then
    echo "NumPy's suite needs a GPU adapter that computes in float64" >&2
    exit 1
else
    echo "SKIPPED: NumPy's suite on a GPU, since the first adapter does not compute in float64, or there is none"
fi
if python -c 'import torch, expecttest' 2>/dev/null; then
    run --rootdir "$scratch" --disable-warnings "$PYTHONPATH/test_torch_samples.py"
else
    echo "SKIPPED: PyTorch's samples, since torch is not installed"
fi
echo "The Python package passed."
