/** The same stacks through every engine, one after another, each result checked. */

import { adapter, invert, ratios } from "./package/batchinv.js";

/** Who takes part, in the order of the columns. The second comes with the first. */
export const RUNNERS = [
    { key: "gpu", name: "GPU" },
    { key: "gpu-alone", name: "GPU alone" },
    { key: "cpu", name: "CPU" },
    { key: "plain", name: "JavaScript" },
    { key: "glmatrix", name: "gl-matrix" },
];

/** Runs of each, of which the fastest counts. */
const REPEATS = 3;

/** Singular matrices in each stack. */
const PLANTED = 3;

export class Contest {
    stopped = false;

    constructor(orders, bytes) {
        this.orders = orders;
        this.bytes = bytes;
    }

    stop() {
        this.stopped = true;
    }

    /** Yields `{ done, doing, row }`: the share that is done, what happens next, and a finished row now and then. */
    async *run() {
        const gpu = await adapter();
        const peers = new Peers();
        try {
            for (const [index, order] of this.orders.entries()) {
                const len = Math.max(16, Math.floor(this.bytes / (4 * order * order)));
                const elements = stack(order, len);
                const results = {};
                for (const [turn, { key, name }] of RUNNERS.entries()) {
                    if ((key === "gpu" && !gpu) || key === "gpu-alone" || (key === "glmatrix" && order !== 4)) {
                        continue;
                    }
                    const done = (index + turn / RUNNERS.length) / this.orders.length;
                    yield { done, doing: `Order ${order}: ${name}…` };
                    if (this.stopped) {
                        return;
                    }
                    const own = key === "gpu" || key === "cpu";
                    const run = own ? engine(key, elements, order) : peers.run(key, elements, order);
                    results[key] = await run.catch((error) => ({ error: error.message }));
                    if (key === "gpu" && results.gpu.deviceSeconds) {
                        results["gpu-alone"] = { seconds: results.gpu.deviceSeconds };
                    }
                }
                const row = { order, len, planted: PLANTED, results };
                yield { done: (index + 1) / this.orders.length, doing: `Order ${order} is done.`, row };
            }
        } finally {
            peers.close();
        }
    }
}

/** Runs one of our engines, and checks its inverses. */
async function engine(name, elements, order) {
    let [best, alone, result] = [Infinity, Infinity, null];
    // The first call also compiles.
    for (let repeat = 0; repeat <= REPEATS; repeat += 1) {
        const start = performance.now();
        result = await invert(elements, order, { engine: name });
        const seconds = (performance.now() - start) / 1e3;
        if (repeat > 0) {
            best = Math.min(best, seconds);
            alone = Math.min(alone, result.report.deviceSeconds ?? Infinity);
        }
    }
    const all = await ratios(elements, result.inverses, order);
    const residual = all.reduce((largest, ratio) => (ratio > largest ? ratio : largest), 0);
    const singular = result.statuses.reduce((count, status) => count + (status > 0 ? 1 : 0), 0);
    const deviceSeconds = alone < Infinity ? alone : null;
    return { seconds: best, deviceSeconds, residual, singular, report: result.report };
}

/** The worker with what we are compared with. */
class Peers {
    #worker = new Worker(new URL("./peers.js", import.meta.url), { type: "module", name: "peers" });

    run(key, elements, order) {
        return new Promise((resolve, reject) => {
            this.#worker.onmessage = ({ data: { seconds } }) => resolve({ seconds });
            this.#worker.onerror = (event) => reject(new Error(event.message ?? "it could not be loaded"));
            const peer = key === "glmatrix" ? "gl-matrix" : key;
            this.#worker.postMessage({ peer, elements, order, repeats: REPEATS + 1 });
        });
    }

    close() {
        this.#worker.terminate();
    }
}

/** Uniformly random matrices, with a zero column in a few of them. */
function stack(order, len) {
    const elements = Float32Array.from({ length: len * order * order }, () => 2 * Math.random() - 1);
    for (let planted = 0; planted < PLANTED; planted += 1) {
        const matrix = Math.floor(((planted + 0.5) * len) / PLANTED);
        for (let row = 0; row < order; row += 1) {
            elements[matrix * order * order + row * order + (planted % order)] = 0;
        }
    }
    return elements;
}
