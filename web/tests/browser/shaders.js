/** Every shader, compiled by the browser: its rules are stricter than those of native WebGPU. */

import { assert } from "./cases.js";

const SUBGROUPS = "enable subgroups; diagnostic(off, subgroup_uniformity); ";

export const tests = {
    async "shaders: the browser takes every variant"() {
        const adapter = await navigator.gpu.requestAdapter();
        const device = await adapter.requestDevice({ requiredFeatures: ["subgroups"] });
        const list = await (await fetch("/expected/shaders.json")).json();
        const counts = {};
        for (const { label, kernel, text } of list) {
            // As the engine does in browsers.
            const code = kernel === "subgroup" ? SUBGROUPS + text : text;
            device.pushErrorScope("validation");
            const module = device.createShaderModule({ label, code });
            const { messages } = await module.getCompilationInfo();
            const errors = messages.filter(({ type }) => type === "error");
            const [fault] = errors;
            assert(!fault, `${label}: line ${fault?.lineNum}: ${fault?.message}`);
            assert((await device.popErrorScope()) === null, label);
            counts[kernel] = (counts[kernel] ?? 0) + 1;
        }
        assert(Object.keys(counts).length === 4, JSON.stringify(counts));
        return JSON.stringify(counts);
    },
};
