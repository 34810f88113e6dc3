/** Runs the engines apart from the page, which stays free while they compute. */

import load, * as engine from "./wasm/batchinv_web.js";

const loaded = load();

onmessage = async ({ data: { id, name, values } }) => {
    try {
        await loaded;
        const result = await engine[name](...values);
        const arrays = Object.values(result ?? {}).filter(ArrayBuffer.isView);
        if (ArrayBuffer.isView(result)) {
            arrays.push(result);
        }
        postMessage(
            { id, result },
            arrays.map((array) => array.buffer),
        );
    } catch (error) {
        // After a trap, the memory of the engine is in no known state.
        const broken = error instanceof WebAssembly.RuntimeError;
        postMessage({ id, error: error instanceof Error ? error.message : String(error), broken });
    }
};
