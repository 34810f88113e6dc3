/** Devices that are lost, adapters without subgroups, and a worker that breaks down. */

import { assert, cases, refusal } from "./cases.js";

/** The engine in this page itself, where the device can be reached. */
async function direct() {
    const engine = await import("/package/wasm/batchinv_web.js");
    await engine.default();
    return engine;
}

/** Devices that the engine opens from now on. */
function devices() {
    const opened = [];
    const request = GPUAdapter.prototype.requestDevice;
    GPUAdapter.prototype.requestDevice = async function (descriptor) {
        const device = await request.call(this, descriptor);
        opened.push(device);
        return device;
    };
    return opened;
}

const some = async () => (await cases(({ scalar, order }) => scalar === "float32" && order === 24))[0];

export const tests = {
    async "faults: a device that is destroyed fails the call, and the next one opens another"() {
        const opened = devices();
        const { invert } = await direct();
        const { matrices, order, statuses } = await some();
        const options = { engine: "gpu" };
        await invert(matrices, order, options);
        assert(opened.length === 1, `${opened.length} devices`);
        assert(opened[0].features.has("subgroups"), "without subgroups");
        opened[0].destroy();
        const message = await refusal(invert(matrices, order, options), "a lost device");
        assert(message.startsWith("GPU device lost after 0 of 7 matrices: "), message);
        const found = await invert(matrices, order, options);
        assert(String(found.statuses) === String(statuses) && opened.length === 2, `${opened.length} devices`);
    },

    async "faults: a device that is destroyed while it works"() {
        const opened = devices();
        const { invert } = await direct();
        const { matrices, order } = await some();
        await invert(matrices, order, { engine: "gpu" });
        const long = new Float32Array(matrices.length * 20_000);
        for (let at = 0; at < long.length; at += matrices.length) {
            long.set(matrices, at);
        }
        const call = invert(long, order, { engine: "gpu" });
        setTimeout(() => opened[0].destroy(), 100);
        const message = await refusal(call, "a lost device");
        assert(/^GPU device lost after \d+ of 140000 matrices: /.test(message), message);
    },

    async "faults: a program that is new to a lost device"() {
        const opened = devices();
        const { invert } = await direct();
        await invert(Float32Array.of(2), 1, { engine: "gpu" });
        opened[0].destroy();
        const { matrices, order } = await some();
        const message = await refusal(invert(matrices, order, { engine: "gpu" }), "a lost device");
        assert(message.startsWith("GPU device lost after 0 of 7 matrices: "), message);
    },

    async "faults: no subgroups"() {
        const has = GPUSupportedFeatures.prototype.has;
        GPUSupportedFeatures.prototype.has = function (name) {
            return name !== "subgroups" && has.call(this, name);
        };
        const { invert, adapter, ratios } = await direct();
        assert((await adapter()).subgroups === null, "subgroups");
        const kernels = new Set();
        for (const { name, matrices, order, statuses } of await cases(
            ({ scalar, order }) => scalar === "float32" && [4, 9, 13, 16, 17, 33].includes(order),
        )) {
            const found = await invert(matrices, order, { engine: "gpu" });
            kernels.add(found.report.kernel);
            assert(String(found.statuses) === String(statuses), name);
            const all = ratios(matrices, found.inverses, order, undefined);
            all.forEach((ratio, index) => assert(statuses[index] !== 0 || ratio < 3, `${name}: ${ratio}`));
        }
        assert([...kernels].sort().join() === "device,thread,workgroup", [...kernels].join());
    },

    async "faults: the worker breaks down, and the next call starts another"() {
        const { invert } = await import("/package/batchinv.js");
        const Worker = globalThis.Worker;
        globalThis.Worker = class extends Worker {
            constructor() {
                super("/tests/browser/broken_worker.js", { type: "module" });
            }
        };
        const message = await refusal(invert(Float32Array.of(2), 1), "a broken worker");
        assert(message === "unreachable", message);
        globalThis.Worker = Worker;
        const { inverses } = await invert(Float32Array.of(2), 1);
        assert(inverses[0] === 0.5, String(inverses));
    },

    async "faults: a worker that cannot be loaded"() {
        const { invert, close } = await import("/package/batchinv.js");
        const Worker = globalThis.Worker;
        globalThis.Worker = class extends Worker {
            constructor() {
                super("/tests/browser/missing.js", { type: "module" });
            }
        };
        const message = await refusal(invert(Float32Array.of(2), 1), "a missing worker");
        assert(message.startsWith("the worker of batchinv failed: "), message);
        globalThis.Worker = Worker;
        const call = invert(Float32Array.of(2), 1);
        close();
        assert((await refusal(call, "close")) === "batchinv was closed", "close");
    },
};
