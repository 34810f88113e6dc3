/** What the portable CPU engine says on a native machine: the test `browser_cases` wrote it. */

let loaded = null;

/** The cases, each with its arrays. */
export async function cases(filter = () => true) {
    loaded ??= Promise.all([
        fetch("/expected/cases.json").then((response) => response.json()),
        fetch("/expected/cases.bin").then((response) => response.arrayBuffer()),
    ]);
    const [list, bytes] = await loaded;
    return list.filter(filter).map((entry) => {
        const complex = entry.scalar.startsWith("complex");
        const Real = entry.scalar === "float32" || entry.scalar === "complex64" ? Float32Array : Float64Array;
        const array = (Type, [start, length]) => new Type(bytes.slice(start, start + length));
        const found = { ...entry, complex, name: `${entry.scalar} ${entry.order}` };
        for (const key of ["matrices", "rhs", "inverses", "rconds", "solutions", "determinants"]) {
            found[key] = array(Real, entry[key]);
        }
        for (const key of ["statuses", "solvedStatuses"]) {
            found[key] = array(Int32Array, entry[key]);
        }
        return found;
    });
}

/** The matrices of one case, or a part of its results, over and over. */
export function repeated(array, total) {
    const long = new array.constructor(total);
    for (let at = 0; at < total; at += array.length) {
        long.set(array.subarray(0, Math.min(array.length, total - at)), at);
    }
    return long;
}

export function assert(holds, words) {
    if (!holds) {
        throw new Error(words);
    }
}

/** Fails unless two typed arrays hold the same bytes. */
export function sameBits(got, expected, name) {
    assert(got instanceof expected.constructor, `${name}: not a ${expected.constructor.name}`);
    assert(got.length === expected.length, `${name}: ${got.length} elements instead of ${expected.length}`);
    const [a, b] = [got, expected].map((array) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
    const at = a.findIndex((byte, index) => byte !== b[index]);
    if (at >= 0) {
        const index = Math.floor(at / got.BYTES_PER_ELEMENT);
        throw new Error(`${name}: element ${index} is ${got[index]} instead of ${expected[index]}`);
    }
}

/** The message of the error that a promise rejects with. */
export async function refusal(promise, name) {
    try {
        await promise;
    } catch (error) {
        assert(error instanceof Error, `${name}: rejected with something else than an Error`);
        return error.message;
    }
    throw new Error(`${name}: not refused`);
}

/** LAPACK's test ratio of solutions (xGET02): the largest over the columns of ||b - A x||_1 / (||A||_1 ||x||_1 eps). */
export function solveRatio(a, x, b, order, columns, parts) {
    const at = (array, i, j, width) => [
        array[(i * width + j) * parts],
        parts === 2 ? array[(i * width + j) * 2 + 1] : 0,
    ];
    const eps = a instanceof Float32Array ? 2 ** -24 : 2 ** -53;
    let [norm, worst] = [0, 0];
    for (let j = 0; j < order; j += 1) {
        let sum = 0;
        for (let i = 0; i < order; i += 1) {
            sum += Math.hypot(...at(a, i, j, order));
        }
        norm = Math.max(norm, sum);
    }
    for (let c = 0; c < columns; c += 1) {
        let [residual, size] = [0, 0];
        for (let i = 0; i < order; i += 1) {
            let [re, im] = at(b, i, c, columns);
            for (let k = 0; k < order; k += 1) {
                const [p, q] = at(a, i, k, order);
                const [r, s] = at(x, k, c, columns);
                re -= p * r - q * s;
                im -= p * s + q * r;
            }
            residual += Math.hypot(re, im);
            size += Math.hypot(...at(x, i, c, columns));
        }
        worst = Math.max(worst, residual === 0 ? 0 : residual / (norm * size * eps));
    }
    return worst;
}
