/** The GPU engine: statuses of the CPU engine, and LAPACK's test ratio. */

import { adapter, det, invert, ratios, solve } from "/package/batchinv.js";
import { assert, cases, refusal, repeated, sameBits, solveRatio } from "./cases.js";

const SINGLE = ({ scalar }) => scalar === "float32" || scalar === "complex64";

/** Fewer orders: each compiles programs of its own. */
const SOME = (found) => SINGLE(found) && [1, 2, 4, 9, 13, 24, 33, 46].includes(found.order);

/** Fails unless every inverse has a ratio below 3, and every other one is NaN. */
async function check(name, matrices, order, complex, { inverses, statuses }) {
    const all = await ratios(matrices, inverses, order, { complex });
    all.forEach((ratio, index) => {
        assert(statuses[index] === 0 ? ratio < 3 : Number.isNaN(ratio), `${name}: matrix ${index}: ratio ${ratio}`);
    });
    return all.reduce((largest, ratio) => (ratio > largest ? ratio : largest), 0);
}

/** Well-conditioned enough matrices of large orders. */
function random(order, len) {
    let state = order;
    return Float32Array.from({ length: order * order * len }, () => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        return state / 2 ** 31 - 1;
    });
}

export const tests = {
    async "gpu: the adapter is known"() {
        const found = await adapter();
        assert(found.name.length > 0 && found.software && found.timestamps, JSON.stringify(found));
        assert(found.subgroups?.[0] === 4, JSON.stringify(found));
        return JSON.stringify(found);
    },

    async "gpu: every kernel, singular and NaN neighbors, at the boundaries of orders"() {
        const kernels = new Map();
        let worst = 0;
        for (const { name, matrices, order, complex, statuses, scalar } of await cases(SINGLE)) {
            const found = await invert(matrices, order, { engine: "gpu", complex });
            sameBits(found.statuses, statuses, `${name}: statuses`);
            worst = Math.max(worst, await check(name, matrices, order, complex, found));
            const { kernel, engine, deviceSeconds } = found.report;
            assert(engine === "gpu" && deviceSeconds !== null, `${name}: ${JSON.stringify(found.report)}`);
            kernels.set(kernel, [...(kernels.get(kernel) ?? []), `${scalar} ${order}`]);
        }
        for (const [order, len] of [
            [96, 3],
            [128, 2],
            [129, 3],
            [200, 2],
            [300, 1],
        ]) {
            const matrices = random(order, len);
            const found = await invert(matrices, order, { engine: "gpu" });
            worst = Math.max(worst, await check(`order ${order}`, matrices, order, false, found));
            kernels.set(found.report.kernel, [...(kernels.get(found.report.kernel) ?? []), `float32 ${order}`]);
        }
        // On SwiftShader, `workgroup` takes systems, and inverses where there are no subgroups.
        const missing = ["thread", "subgroup", "device"].filter((kernel) => !kernels.has(kernel));
        assert(missing.length === 0, `these did not run: ${missing}`);
        const ran = [...kernels].map(([kernel, orders]) => `${kernel} ${orders.length}`);
        return `${ran.join(", ")}; largest ratio ${worst.toFixed(2)}`;
    },

    async "gpu: solutions and determinants, by workgroup, too"() {
        const kernels = new Set();
        for (const { name, matrices, rhs, order, columns, complex, ...expected } of await cases(SOME)) {
            const found = await solve(matrices, order, rhs, { engine: "gpu", complex, columns });
            sameBits(found.statuses, expected.solvedStatuses, `${name}: statuses`);
            kernels.add(found.report.kernel);
            const parts = complex ? 2 : 1;
            const cut = (array, index, size) => array.subarray(index * size * parts, (index + 1) * size * parts);
            const { determinants } = await det(matrices, order, { engine: "gpu", complex });
            const eps = 2 ** -24;
            expected.statuses.forEach((status, index) => {
                const [own, theirs] = [determinants, expected.determinants].map((array) => cut(array, index, 1));
                if (status === 0) {
                    const [a, x, b] = [matrices, found.solutions, rhs];
                    const pieces = [
                        cut(a, index, order ** 2),
                        cut(x, index, order * columns),
                        cut(b, index, order * columns),
                    ];
                    const ratio = solveRatio(...pieces, order, columns, parts);
                    assert(found.statuses[index] !== 0 || ratio < 8, `${name}: system ${index}: ratio ${ratio}`);
                    // Both lie within n kappa eps of the true determinant, which this bounds where it is a bound.
                    const bound = (order * eps) / expected.rconds[index];
                    const size = Math.hypot(...theirs);
                    if (bound < 0.1 && size > 2 ** -120 && size < 2 ** 120) {
                        const off = Math.hypot(...own.map((part, at) => part - theirs[at]));
                        assert(
                            off <= 2 * bound * size,
                            `${name}: determinant ${index}: ${own} instead of ${theirs}`,
                        );
                    }
                } else {
                    sameBits(own, theirs, `${name}: determinant ${index}`);
                }
            });
        }
        assert([...kernels].sort().join() === "subgroup,thread,workgroup", [...kernels].join());
    },

    async "gpu: rconds, and a least one"() {
        for (const { name, matrices, order, complex, rconds } of await cases(SOME)) {
            const { rcond } = await invert(matrices, order, { engine: "gpu", complex, rcond: true });
            rcond.forEach((value, index) => {
                const expected = rconds[index];
                // Inverses differ by kappa eps, and so do the norms.
                const fine = Number.isNaN(expected)
                    ? Number.isNaN(value)
                    : Math.abs(value - expected) <= 16 * order * 2 ** -24 + 2 ** -10 * expected;
                assert(fine, `${name}: rcond ${index} is ${value} instead of ${expected}`);
            });
        }
        const elements = Float32Array.of(1, 0, 0, 1e-4, 1, 2, 2, 4, 1, 0, 0, 1);
        const { statuses } = await invert(elements, 2, { engine: "gpu", minRcond: 1e-3 });
        assert(String(statuses) === "-2,2,0", String(statuses));
    },

    async "gpu: lengths across a chunk give the same bits everywhere"() {
        for (const [order, chunk, ...more] of [
            [4, 131_072],
            [16, 8192, 8191, 16_387],
            [33, 1925],
        ]) {
            const [{ matrices, len }] = await cases(
                ({ scalar, order: own }) => scalar === "float32" && own === order,
            );
            const size = order * order;
            const one = await invert(matrices, order, { engine: "gpu" });
            for (const total of [chunk + 1, ...more]) {
                const found = await invert(repeated(matrices, total * size), order, { engine: "gpu" });
                const name = `order ${order}, ${total} matrices`;
                assert(found.report.chunks >= Math.ceil(total / chunk), `${name}: ${found.report.chunks} chunks`);
                sameBits(found.statuses, repeated(one.statuses, total), name);
                sameBits(found.inverses, repeated(one.inverses, total * size), name);
            }
            assert(len === 7, "the cases");
        }
    },

    async "gpu: calls at the same time"() {
        const some = await cases((found) => SINGLE(found) && [3, 12, 16].includes(found.order));
        const found = await Promise.all(
            some.map(({ matrices, order, complex }) => invert(matrices, order, { engine: "gpu", complex })),
        );
        found.forEach((one, index) => sameBits(one.statuses, some[index].statuses, some[index].name));
    },

    async "gpu: refuses float64 with a reason, and auto takes the CPU"() {
        const elements = Float64Array.of(2, 0, 0, 4);
        const message = await refusal(invert(elements, 2, { engine: "gpu" }), "float64");
        assert(message.startsWith("the gpu engine cannot do this: "), message);
        const { inverses, report } = await invert(elements, 2);
        assert(report.engine === "cpu" && report.reason && inverses[0] === 0.5, JSON.stringify(report));
    },

    async "gpu: double precision in pairs of float32"() {
        let worst = 0;
        for (const [order, len] of [
            [1, 9],
            [4, 50],
            [9, 20],
            [20, 10],
        ]) {
            const matrices = random(order, len);
            const { inverses, report } = await invert(matrices, order, { engine: "gpu", precision: "double" });
            assert(report.arithmetic === "pairs", JSON.stringify(report));
            const exact = await invert(Float64Array.from(matrices), order, { engine: "cpu" });
            for (let index = 0; index < len; index++) {
                const [error, norm] = [0, 1].map((which) => {
                    const sums = new Float64Array(order);
                    for (let e = 0; e < order * order; e++) {
                        const right = exact.inverses[index * order * order + e];
                        const found = inverses[index * order * order + e];
                        sums[e % order] += Math.abs(which === 0 ? found - right : right);
                    }
                    return Math.max(...sums);
                });
                worst = Math.max(worst, error / norm);
                assert(error <= 1.2e-7 * norm, `order ${order}, matrix ${index}: ${error / norm}`);
            }
        }
        return `at most ${worst} in norm`;
    },

    async "gpu: auto takes no software adapter, and says so"() {
        const { report } = await invert(random(32, 1000), 32);
        assert(report.engine === "cpu" && report.reason.includes("software adapter"), JSON.stringify(report));
    },

    async "gpu: a time limit"() {
        const options = { engine: "gpu", timeLimit: 0.001 };
        await invert(random(32, 10), 32, { engine: "gpu" });
        const message = await refusal(invert(random(32, 2000), 32, options), "a time limit");
        assert(message.startsWith("GPU device lost after ") && message.includes("no answer within 1ms"), message);
        // The next call is not held up by it.
        assert((await invert(random(3, 2), 3, { engine: "gpu" })).statuses.length === 2, "after it");
    },
};
