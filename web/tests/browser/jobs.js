/** Jobs in buffers, encoders and devices that are not the engine's. */

import { device, ratios } from "/package/batchinv.js";
import { assert, cases, refusal, sameBits } from "./cases.js";

const { STORAGE, COPY_SRC, COPY_DST, MAP_READ, INDIRECT } = GPUBufferUsage;
const ALL = STORAGE | COPY_SRC | COPY_DST;

async function open() {
    const adapter = await navigator.gpu.requestAdapter();
    const own = await adapter.requestDevice({ requiredFeatures: ["subgroups"] });
    const uncaptured = [];
    own.onuncapturederror = ({ error }) => uncaptured.push(error.message);
    return { own, engine: await device(own), uncaptured };
}

function buffer(own, array, usage = ALL) {
    const made = own.createBuffer({ size: array.byteLength, usage, mappedAtCreation: true });
    new array.constructor(made.getMappedRange()).set(array);
    made.unmap();
    return made;
}

async function read(own, from, Type) {
    const to = own.createBuffer({ size: from.size, usage: MAP_READ | COPY_DST });
    const encoder = own.createCommandEncoder();
    encoder.copyBufferToBuffer(from, 0, to, 0, from.size);
    own.queue.submit([encoder.finish()]);
    await to.mapAsync(GPUMapMode.READ);
    return new Type(to.getMappedRange().slice(0));
}

const case_of = async (scalar, order) =>
    (await cases((found) => found.scalar === scalar && found.order === order))[0];

async function fine(name, matrices, inverses, order, complex, statuses) {
    const all = await ratios(matrices, inverses, order, { complex });
    all.forEach((ratio, index) => assert(statuses[index] !== 0 || ratio < 3, `${name}: matrix ${index}: ${ratio}`));
}

export const tests = {
    async "jobs: every kernel in the caller's buffers, device and encoder, in place and apart"() {
        const { own, engine, uncaptured } = await open();
        for (const [scalar, order] of [
            ["float32", 4],
            ["complex64", 8],
            ["float32", 24],
            ["complex64", 33],
            ["float32", 100],
        ]) {
            const { matrices, complex, statuses, len } = await case_of(scalar, order);
            const [input, output] = [buffer(own, matrices), buffer(own, new matrices.constructor(matrices.length))];
            const apart = await engine.job({ scalar, order, capacity: len, input, output });
            const inPlace = await engine.job({ scalar, order, capacity: len, input: output });
            assert(apart.capacity === len, "the capacity");
            const encoder = own.createCommandEncoder();
            apart.encode(encoder, len);
            own.queue.submit([encoder.finish()]);
            sameBits(await apart.readStatuses(len), statuses, `${scalar} ${order}: statuses`);
            sameBits(await read(own, apart.statuses, Int32Array), statuses, `${scalar} ${order}: their buffer`);
            const inverses = await read(own, output, matrices.constructor);
            await fine(`${scalar} ${order}`, matrices, inverses, order, complex, statuses);
            // What the caller encodes before and after the job stays in order with it.
            const again = own.createCommandEncoder();
            again.copyBufferToBuffer(input, 0, output, 0, input.size);
            inPlace.encode(again, len);
            own.queue.submit([again.finish()]);
            sameBits(await read(own, output, matrices.constructor), inverses, `${scalar} ${order}: in place`);
        }
        assert(uncaptured.length === 0, String(uncaptured));
    },

    async "jobs: strides, the inverse transposes of the 3x3 parts of column-major 4x4 transforms"() {
        const { own, engine } = await open();
        const { matrices: given, statuses } = await case_of("float32", 3);
        const transforms = new Float32Array(7 * 16).fill(9);
        for (let index = 0; index < 7 * 9; index += 1) {
            const [m, i, j] = [Math.floor(index / 9), Math.floor((index % 9) / 3), index % 3];
            transforms[m * 16 + i + 4 * j] = given[index];
        }
        const input = buffer(own, transforms);
        const output = buffer(own, new Float32Array(7 * 12).fill(5));
        const job = await engine.job({
            order: 3,
            capacity: 7,
            input,
            inputLayout: { matrix: 16, row: 1, column: 4 },
            output,
            // WGSL's mat3x3<f32> of the transpose: columns of four elements.
            outputLayout: { matrix: 12, row: 4, column: 1 },
        });
        const encoder = own.createCommandEncoder();
        job.encode(encoder, 7);
        own.queue.submit([encoder.finish()]);
        sameBits(await job.readStatuses(7), statuses, "statuses");
        const padded = await read(own, output, Float32Array);
        const inverses = given.map((_, index) => {
            const [m, i, j] = [Math.floor(index / 9), Math.floor((index % 9) / 3), index % 3];
            return padded[m * 12 + 4 * i + j];
        });
        await fine("strided", given, inverses, 3, false, statuses);
        assert(
            [3, 7, 11, 83].every((at) => padded[at] === 5),
            "the gaps",
        );
        sameBits(await read(own, input, Float32Array), transforms, "the input");
    },

    async "jobs: solutions, determinants and rconds"() {
        const { own, engine } = await open();
        const { matrices, rhs, columns, solvedStatuses, statuses, rconds } = await case_of("float32", 16);
        const [input, b] = [buffer(own, matrices), buffer(own, rhs)];
        const determinants = buffer(own, new Float32Array(14));
        const solve = await engine.job({ order: 16, capacity: 7, input, rhs: b, columns, determinants });
        const output = buffer(own, new Float32Array(matrices.length));
        const norms = buffer(own, new Float32Array(7));
        const invert = await engine.job({ order: 16, capacity: 7, input, output, rconds: norms });
        const encoder = own.createCommandEncoder();
        solve.encode(encoder, 7);
        invert.encode(encoder, 7);
        own.queue.submit([encoder.finish()]);
        sameBits(await solve.readStatuses(7), solvedStatuses, "statuses of systems");
        sameBits(await invert.readStatuses(7), statuses, "statuses");
        const mantissas = await read(own, determinants, Float32Array);
        assert(mantissas[2] === 0 && Number.isNaN(mantissas[6]) && Math.abs(mantissas[0]) >= 1, String(mantissas));
        const found = await read(own, norms, Float32Array);
        // Inverses differ by n kappa eps, and so do the norms.
        assert(
            found[1] === 0 && Math.abs(found[0] - rconds[0]) < 16 * 16 * 2 ** -24,
            `${found} instead of ${rconds}`,
        );
        const solutions = await read(own, b, Float32Array);
        assert(solutions.length === rhs.length && solutions[0] !== rhs[0], "the solutions");
    },

    async "jobs: a count that the GPU fills"() {
        const { own, engine } = await open();
        const { matrices, statuses } = await case_of("float32", 24);
        const input = buffer(own, matrices);
        const count = buffer(own, Uint32Array.of(3));
        const job = await engine.job({ order: 24, capacity: 7, input, count });
        const encoder = own.createCommandEncoder();
        job.encodeIndirect(encoder);
        own.queue.submit([encoder.finish()]);
        const found = await job.readStatuses(7);
        assert(String(found) === String([...statuses.subarray(0, 3), -1, -1, -1, -1]), String(found));
        const left = (await read(own, input, Float32Array)).subarray(3 * 576);
        sameBits(left.slice(), matrices.slice(3 * 576), "matrices beyond the count");
    },

    async "jobs: errors say what is wrong"() {
        const { own, engine, uncaptured } = await open();
        const good = buffer(own, new Float32Array(64));
        const plain = buffer(own, new Float32Array(64), COPY_SRC);
        const stranger = buffer((await open()).own, new Float32Array(64));
        const fitting = { order: 4, capacity: 4, input: good };
        for (const [descriptor, words] of [
            [{ ...fitting, input: undefined }, "the job has no input"],
            [{ ...fitting, order: undefined }, "the job has no order"],
            [{ ...fitting, input: {} }, "input must be a GPUBuffer"],
            [{ ...fitting, output: plain }, "STORAGE"],
            [{ ...fitting, capacity: 5 }, "the buffer for input holds 256 bytes, the job needs 320"],
            [{ ...fitting, input: stranger }, "device"],
            [{ ...fitting, scalar: "float16" }, 'scalar is "float16": one of float32'],
            [{ ...fitting, scalar: "float64", order: 2, capacity: 1 }, "float64"],
            [{ ...fitting, inputLayout: { rows: 1 } }, 'inputLayout has no "rows"'],
            [{ ...fitting, outputs: good }, 'the job has no "outputs": one of scalar'],
        ]) {
            const message = await refusal(engine.job(descriptor), words);
            assert(message.includes(words), `"${message}" instead of "${words}"`);
        }
        const job = await engine.job(fitting);
        const encoder = own.createCommandEncoder();
        for (const [call, words] of [
            [() => job.encode({}, 1), "encoder must be a GPUCommandEncoder"],
            [() => job.encode(encoder, 5), "5"],
            [() => job.encodeIndirect(encoder), "count"],
        ]) {
            const message = await refusal((async () => call())(), words);
            assert(message.includes(words), `"${message}" instead of "${words}"`);
        }
        assert(Object.keys(own).length === 0, `left on the device: ${Object.keys(own)}`);
        assert(Object.keys(navigator.gpu).length === 0, `left on navigator.gpu: ${Object.keys(navigator.gpu)}`);
        return `uncaptured: ${uncaptured.length}`;
    },

    async "jobs: a device that is destroyed"() {
        const { own, engine } = await open();
        const { matrices } = await case_of("float32", 24);
        const [input, other] = [buffer(own, matrices), buffer(own, matrices)];
        const job = await engine.job({ order: 24, capacity: 7, input });
        own.destroy();
        const read = await refusal(job.readStatuses(7), "statuses");
        assert(read.startsWith("GPU device lost after 0 of 7 matrices: "), read);
        const made = await refusal(engine.job({ order: 24, capacity: 7, input: other }), "a job");
        assert(made.startsWith("GPU device lost after 0 of 7 matrices: "), made);
    },
};
