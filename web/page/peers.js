/** What batchinv is compared with, in a worker of its own, so that the page stays free. */

import { invert as invert4 } from "./gl-matrix/mat4.js";
import { invertAll } from "./plain.js";

onmessage = ({ data: { id, peer, elements, order, repeats } }) => {
    const inverses = new Float32Array(elements.length);
    let best = Infinity;
    for (let repeat = 0; repeat < repeats; repeat += 1) {
        const start = performance.now();
        if (peer === "gl-matrix") {
            withGlMatrix(elements, inverses);
        } else {
            invertAll(elements, order, inverses);
        }
        best = Math.min(best, performance.now() - start);
    }
    postMessage({ id, inverses, seconds: best / 1e3 }, [inverses.buffer]);
};

/** gl-matrix takes one matrix at a time. Rows or columns first is all the same to an inverse. */
function withGlMatrix(elements, inverses) {
    for (let at = 0; at < elements.length; at += 16) {
        if (invert4(inverses.subarray(at, at + 16), elements.subarray(at, at + 16)) === null) {
            inverses.fill(NaN, at, at + 16);
        }
    }
}
