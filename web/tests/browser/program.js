/** A program in Rust that uses the crate without our JavaScript. */

import init, { frame, largest_difference } from "/program/batchinv_web_program.js";
import { assert } from "./cases.js";

export const tests = {
    async "a Rust program: renders with normal matrices that a job computes in its encoder"() {
        await init();
        const pixels = await frame();
        assert(pixels.length === 4 * 64, `${pixels.length} bytes`);
        for (let instance = 0; instance < 64; instance += 1) {
            // Of the inverse transposes of [[1 or 2, 1, 0], [0, 2, 0], [0, 0, 4]], and zeros for the singular one.
            const wanted = instance === 7 ? [0, 0, 0] : instance % 2 === 0 ? [255, 128, 64] : [128, 64, 64];
            const found = [...pixels.subarray(4 * instance, 4 * instance + 3)];
            assert(
                found.every((value, index) => Math.abs(value - wanted[index]) <= 1),
                `instance ${instance}: ${found}, not ${wanted}`,
            );
        }
    },

    async "a Rust program: both engines invert a stack"() {
        await init();
        const difference = await largest_difference();
        assert(difference < 1e-6, `${difference}`);
    },
};
