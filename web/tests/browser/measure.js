/** What measure.mjs times. */

import load, { invert } from "/package/wasm/batchinv_web.js";
import * as batchinv from "/package/batchinv.js";
import { invert as invert4 } from "/gl-matrix/mat4.js";
import { invertAll } from "/plain.js";

const random = (len) => Float32Array.from({ length: len }, () => 2 * Math.random() - 1);

/** The best milliseconds of each contestant, over turns. */
async function contest(turns, contestants) {
    const best = {};
    for (let turn = 0; turn < turns; turn += 1) {
        for (const [name, run] of Object.entries(contestants)) {
            const start = performance.now();
            const own = await run();
            best[name] = Math.min(best[name] ?? Infinity, own ?? performance.now() - start);
        }
    }
    return best;
}

/** Microseconds per matrix at order 4, over 100,000. */
export async function order4() {
    await load();
    const len = 100_000;
    const stack = random(16 * len);
    const out = new Float32Array(16 * len);
    const matrices = Array.from({ length: len }, (_, index) => stack.slice(16 * index, 16 * index + 16));
    const inverses = matrices.map(() => new Float32Array(16));
    const best = await contest(25, {
        "batchinv, the engine alone": async () =>
            1e3 * (await invert(stack, 4, { engine: "cpu" })).report.seconds.dispatch,
        "batchinv, the call": async () => void (await invert(stack, 4, { engine: "cpu" })),
        "batchinv, the call through the worker": async () =>
            void (await batchinv.invert(stack, 4, { engine: "cpu" })),
        "gl-matrix, each matrix an array of its own": () => {
            for (let index = 0; index < len; index += 1) {
                invert4(inverses[index], matrices[index]);
            }
        },
        "gl-matrix, views of the stack": () => {
            for (let at = 0; at < 16 * len; at += 16) {
                invert4(out.subarray(at, at + 16), stack.subarray(at, at + 16));
            }
        },
        "plain JavaScript with pivoting": () => invertAll(stack, 4, out),
    });
    return Object.fromEntries(Object.entries(best).map(([name, ms]) => [name, (1e3 * ms) / len]));
}

/** Microseconds per matrix of the CPU engine's calls and of plain JavaScript. */
export async function byOrder() {
    await load();
    const rows = [];
    for (const order of [2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 28, 32]) {
        const len = Math.floor(1e6 / order ** 2);
        const [stack, out] = [random(len * order ** 2), new Float32Array(len * order ** 2)];
        const best = await contest(7, {
            batchinv: async () => void (await invert(stack, order, { engine: "cpu" })),
            plain: () => invertAll(stack, order, out),
        });
        rows.push([order, (1e3 * best.batchinv) / len, (1e3 * best.plain) / len]);
    }
    return rows;
}

/** Seconds in the passes of the GPU engine, by the device's clock. */
export async function passes(order, len) {
    await load();
    const stack = random(len * order ** 2);
    let best = Infinity;
    for (let turn = 0; turn < 8; turn += 1) {
        best = Math.min(best, (await invert(stack, order, { engine: "gpu" })).report.deviceSeconds);
    }
    return best;
}

/** Milliseconds from the import of the package to the first results. */
export async function first() {
    const start = performance.now();
    const { invert } = await import("/package/batchinv.js?again");
    await invert(random(16 * 100), 4, { engine: "cpu" });
    const cpu = performance.now() - start;
    await invert(random(16 * 100), 4, { engine: "gpu" });
    return { cpu, "gpu after it": performance.now() - start - cpu };
}
