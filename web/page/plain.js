/** Gauss-Jordan elimination with partial pivoting, in plain JavaScript. */

/** Inverts all matrices of a stack. A singular matrix becomes NaN. */
export function invertAll(elements, order, inverses) {
    const size = order * order;
    const work = new Float64Array(size);
    const pivots = new Int32Array(order);
    for (let at = 0; at < elements.length; at += size) {
        for (let e = 0; e < size; e += 1) {
            work[e] = elements[at + e];
        }
        if (invertInPlace(work, order, pivots)) {
            for (let e = 0; e < size; e += 1) {
                inverses[at + e] = work[e];
            }
        } else {
            inverses.fill(NaN, at, at + size);
        }
    }
}

/** Replaces a matrix by its inverse, and returns false if it is singular. */
function invertInPlace(a, n, pivots) {
    for (let k = 0; k < n; k += 1) {
        let pivot = k;
        for (let i = k + 1; i < n; i += 1) {
            if (Math.abs(a[i * n + k]) > Math.abs(a[pivot * n + k])) {
                pivot = i;
            }
        }
        pivots[k] = pivot;
        const value = a[pivot * n + k];
        if (value === 0) {
            return false;
        }
        if (pivot !== k) {
            for (let j = 0; j < n; j += 1) {
                const swapped = a[k * n + j];
                a[k * n + j] = a[pivot * n + j];
                a[pivot * n + j] = swapped;
            }
        }
        const reciprocal = 1 / value;
        a[k * n + k] = 1;
        for (let j = 0; j < n; j += 1) {
            a[k * n + j] *= reciprocal;
        }
        for (let i = 0; i < n; i += 1) {
            if (i === k) {
                continue;
            }
            const factor = a[i * n + k];
            a[i * n + k] = 0;
            for (let j = 0; j < n; j += 1) {
                a[i * n + j] -= factor * a[k * n + j];
            }
        }
    }
    // The exchanges of rows become exchanges of columns, the last one first.
    for (let k = n - 1; k >= 0; k -= 1) {
        const pivot = pivots[k];
        if (pivot !== k) {
            for (let i = 0; i < n; i += 1) {
                const swapped = a[i * n + k];
                a[i * n + k] = a[i * n + pivot];
                a[i * n + pivot] = swapped;
            }
        }
    }
    return true;
}
