/** A browser without WebGPU. */

import { adapter, device, invert } from "/package/batchinv.js";
import { assert, refusal } from "./cases.js";

export const tests = {
    async "without WebGPU: no adapter, and the GPU engine says so"() {
        assert((await adapter()) === null, "an adapter");
        const message = await refusal(invert(Float32Array.of(2), 1, { engine: "gpu" }), "gpu");
        assert(message.startsWith("no GPU adapter: this browser offers none"), message);
    },

    async "without WebGPU: auto takes the CPU for work of any size"() {
        const order = 32;
        const elements = Float32Array.from({ length: 1000 * order ** 2 }, (_, index) =>
            (index % order ** 2) % (order + 1) === 0 ? 2 : 0,
        );
        const { report, inverses } = await invert(elements, order);
        assert(report.engine === "cpu" && inverses[0] === 0.5, JSON.stringify(report));
        assert(report.reason.startsWith("no GPU adapter: "), report.reason);
    },

    async "without WebGPU: a device of one's own is refused"() {
        const message = await refusal(device({}), "device");
        assert(message === "device must be a GPUDevice", message);
    },
};
