/** The CPU engine: the bits of the portable one on a native machine. */

import { cpu, det, invert, ratios, solve } from "/package/batchinv.js";
import { assert, cases, refusal, repeated, sameBits } from "./cases.js";

export const tests = {
    async "cpu: SIMD128 is used"() {
        assert((await cpu()).level === "simd128", (await cpu()).level);
    },

    async "cpu: inverses, statuses and rconds are the native portable ones, to the bit"() {
        const all = await cases();
        for (const { name, scalar, matrices, order, complex, inverses, statuses, rconds } of all) {
            const found = await invert(matrices, order, { engine: "cpu", complex, rcond: true });
            sameBits(found.statuses, statuses, `${name}: statuses`);
            sameBits(found.inverses, inverses, `${name}: inverses`);
            if (complex) {
                // The modulus of a complex number is the platform's.
                found.rcond.forEach((value, index) => {
                    const near =
                        Math.abs(value - rconds[index]) <= 4 * (scalar === "complex64" ? 2 ** -24 : 2 ** -53);
                    assert(
                        near || (Number.isNaN(value) && Number.isNaN(rconds[index])),
                        `${name}: rcond ${index}: ${value}`,
                    );
                });
            } else {
                sameBits(found.rcond, rconds, `${name}: rconds`);
            }
            assert(found.report.engine === "cpu", `${name}: ${found.report.engine}`);
        }
        assert(all.length === 108, `${all.length} cases`);
        return `${all.length} cases`;
    },

    async "cpu: solutions and determinants are the native portable ones, to the bit"() {
        for (const { name, matrices, rhs, order, columns, complex, ...expected } of await cases()) {
            const found = await solve(matrices, order, rhs, { engine: "cpu", complex, columns });
            sameBits(found.statuses, expected.solvedStatuses, `${name}: statuses`);
            sameBits(found.solutions, expected.solutions, `${name}: solutions`);
            const { determinants, logs } = await det(matrices, order, { engine: "cpu", complex });
            sameBits(determinants, expected.determinants, `${name}: determinants`);
            assert(logs[1] === -Infinity && Number.isNaN(logs[3]), `${name}: logs ${logs}`);
        }
    },

    async "cpu: double precision rounds once"() {
        for (const { name, matrices, order, inverses } of await cases(({ scalar }) => scalar === "float32")) {
            const double = await invert(matrices, order, { engine: "cpu", precision: "double" });
            const wide = await invert(Float64Array.from(matrices), order, { engine: "cpu" });
            const rounded = Float32Array.from(wide.inverses);
            // The first and the last matrix are of ordinary size, so nothing overflows on the way.
            const size = order * order;
            for (const at of [0, 6 * size]) {
                const [a, b] = [double.inverses, rounded].map((array) => array.subarray(at, at + size));
                a.forEach((element, index) => {
                    const off = Math.abs(element - b[index]);
                    assert(off <= 2 ** -23 * Math.abs(b[index]), `${name}: ${element} instead of ${b[index]}`);
                });
            }
            assert(
                order === 1 || inverses.some((element, index) => element !== double.inverses[index]),
                `${name}: native`,
            );
        }
    },

    async "cpu: a least rcond, and fillings"() {
        const elements = Float32Array.of(1, 0, 0, 1e-4, 1, 2, 2, 4, 1, 0, 0, 1);
        const options = { engine: "cpu", minRcond: 1e-3, onFailure: "identity", rcond: true };
        const { inverses, statuses, rcond } = await invert(elements, 2, options);
        assert(String(statuses) === "-2,2,0", String(statuses));
        assert(String(inverses.subarray(4)) === "1,0,0,1,1,0,0,1", String(inverses));
        assert(rcond[1] === 0 && rcond[2] === 1, String(rcond));
    },

    async "cpu: order 0, no matrices, and views into larger buffers"() {
        assert((await invert(new Float32Array(0), 5, { engine: "cpu" })).inverses.length === 0, "no matrices");
        const view = Float64Array.of(9, 9, 4, 9).subarray(2, 3);
        const { inverses } = await invert(view, 1, { engine: "cpu" });
        assert(inverses.length === 1 && inverses[0] === 0.25 && view[0] === 4, String(inverses));
    },

    async "cpu: the page stays free while it computes"() {
        const [{ matrices, order }] = await cases(({ scalar, order }) => scalar === "float64" && order === 100);
        let beats = 0;
        const timer = setInterval(() => (beats += 1), 1);
        const { report } = await invert(repeated(matrices, matrices.length * 100), order, { engine: "cpu" });
        clearInterval(timer);
        assert(report.seconds.dispatch > 0 && beats > 2, `${beats} beats in ${report.seconds.dispatch} s`);
    },

    async "cpu: errors say what is wrong"() {
        const four = Float32Array.of(1, 2, 3, 4);
        for (const [promise, words] of [
            [invert([1, 2, 3, 4], 2), "the elements must be a Float32Array or a Float64Array"],
            [invert(four, 3), "4 elements"],
            [invert(four, -1), "order must be a whole number from 0 to 4294967295"],
            [invert(four, 1.5), "order must be a whole number"],
            [invert(four, 2, { engine: "tpu" }), 'engine is "tpu": one of auto, cpu, gpu'],
            [invert(four, 2, { rcnd: true }), 'options has no "rcnd": one of engine, precision, complex'],
            [invert(four, 2, { rcond: 1 }), "rcond must be true or false"],
            [invert(four, 2, 7), "options must be an object"],
            [invert(four.subarray(0, 3), 1, { complex: true }), "complex elements take two each"],
            [solve(four, 2, Float64Array.of(1, 2)), "the right-hand sides is of another type"],
            [solve(four, 2, Float32Array.of(1, 2, 3)), "3 elements"],
            [ratios(four, four.subarray(0, 1), 1), "4 matrices and 1 inverses do not go together"],
        ]) {
            const message = await refusal(promise, words);
            assert(message.includes(words), `"${message}" instead of "${words}"`);
        }
    },
};
