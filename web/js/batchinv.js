/** Stacks of small matrices in the browser. `batchinv.d.ts` documents everything that is exported here. */

/** The calls that wait for the worker's answer, by number. */
const calls = new Map();
let worker = null;
let last = 0;

export function invert(elements, order, options) {
    return ask("invert", [elements, order, options]);
}

export function solve(elements, order, rhs, options) {
    return ask("solve", [elements, order, rhs, options]);
}

export function det(elements, order, options) {
    return ask("det", [elements, order, options]);
}

export function ratios(elements, inverses, order, options) {
    return ask("ratios", [elements, inverses, order, options]);
}

export function adapter() {
    return ask("adapter", []);
}

export function cpu() {
    return ask("cpu", []);
}

/** A GPUDevice cannot go to a worker, so its jobs are made here. Nothing in them takes long. */
export async function device(gpuDevice) {
    const engine = await import("./wasm/batchinv_web.js");
    await engine.default();
    return engine.Device.from(gpuDevice);
}

export function close() {
    stop("batchinv was closed");
}

function ask(name, given) {
    return new Promise((resolve, reject) => {
        try {
            worker ??= start();
            // A view may be a small part of a large buffer, of which a message would copy all.
            const values = given.map((value) => (ArrayBuffer.isView(value) ? value.slice() : value));
            const buffers = values.filter(ArrayBuffer.isView).map((view) => view.buffer);
            worker.postMessage({ id: last, name, values }, buffers);
            calls.set(last, { resolve, reject });
            last += 1;
        } catch (error) {
            reject(error);
        }
    });
}

function start() {
    const started = new Worker(new URL("./worker.js", import.meta.url), { type: "module", name: "batchinv" });
    started.onmessage = ({ data: { id, result, error, broken } }) => {
        const call = calls.get(id);
        calls.delete(id);
        if (error === undefined) {
            call?.resolve(result);
        } else {
            call?.reject(new Error(error));
        }
        if (broken) {
            stop(`the engine broke down in another call: ${error}`);
        }
    };
    started.onerror = (event) => {
        event.preventDefault();
        stop(`the worker of batchinv failed: ${event.message ?? "its script could not be loaded"}`);
    };
    return started;
}

/** Ends the worker. The next call starts another. */
function stop(message) {
    worker?.terminate();
    worker = null;
    for (const { reject } of calls.values()) {
        reject(new Error(message));
    }
    calls.clear();
}
