/** A program of a user, for the types alone. */
import { invert, solve, det, ratios, adapter, device, type Report } from "../js/batchinv.js";

export async function main(gpuDevice: GPUDevice, instances: GPUBuffer): Promise<Report> {
    const stack = new Float32Array(16);
    const { inverses, statuses, rcond, report } = await invert(stack, 4, {
        engine: "gpu",
        precision: "double",
        rcond: true,
    });
    const first: number = inverses[0]! + statuses[0]! + (rcond?.[0] ?? 0);
    const { solutions } = await solve(new Float64Array(4), 2, new Float64Array(2), { columns: 1 });
    const wide: Float64Array = solutions;
    const { logs, signs } = await det(stack, 4);
    const largest = Math.max(first, wide[0]!, logs[0]!, signs[0]!, ...(await ratios(stack, inverses, 4)));
    const name: string = (await adapter())?.name ?? `none ${largest}`;
    const job = await (
        await device(gpuDevice)
    ).job({ order: 4, capacity: 100, input: instances, onFailure: "identity" });
    const encoder = gpuDevice.createCommandEncoder({ label: name });
    job.encode(encoder, 100);
    gpuDevice.queue.submit([encoder.finish()]);
    // @ts-expect-error: there is no such engine
    await invert(stack, 4, { engine: "tpu" });
    // @ts-expect-error: an array of numbers is no stack
    await invert([1], 1);
    return report;
}
