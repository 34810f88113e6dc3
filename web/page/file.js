/** The inverses of a file. */

import { invert } from "./package/batchinv.js";
import { read, write } from "./npy.js";

/** Inverts the matrices of a `.npy` file. Returns what to show: links to the results, or what is wrong. */
export async function invertFile(file, engine) {
    const shown = document.createElement("div");
    try {
        const { elements, shape, order, complex } = read(await file.arrayBuffer());
        const { inverses, statuses, rcond, report } = await invert(elements, order, {
            engine,
            complex,
            rcond: true,
        });
        const failures = statuses.reduce((count, status) => count + (status === 0 ? 0 : 1), 0);
        const first = statuses.findIndex((status) => status !== 0);
        const on =
            report.engine === "gpu"
                ? `${report.adapter}, kernel ${report.kernel}`
                : `the CPU, kernel ${report.kernel}`;
        const matrices = `${statuses.length.toLocaleString("en")} ${statuses.length === 1 ? "matrix" : "matrices"}`;
        const account = document.createElement("p");
        account.textContent =
            `${matrices} of order ${order}, shape (${shape.join(", ")}), on ${on}. ` +
            (failures === 0
                ? "All have an inverse."
                : `${failures} without an inverse, the first at position ${first}: ${word(statuses[first])}.`);
        const name = file.name.replace(/\.npy$/, "");
        const leading = shape.slice(0, -2);
        const links = document.createElement("ul");
        links.append(
            link(`${name}-inverses.npy`, write(inverses, shape, complex)),
            link(`${name}-statuses.npy`, write(statuses, leading)),
            link(`${name}-rconds.npy`, write(rcond, leading)),
        );
        shown.append(account, links);
    } catch (error) {
        const fault = document.createElement("p");
        fault.className = "failed";
        fault.textContent = `${file.name}: ${error.message}`;
        shown.append(fault);
    }
    return shown;
}

function word(status) {
    return status > 0 ? `singular, the pivot of column ${status} is zero` : "not finite";
}

function link(name, parts) {
    const entry = document.createElement("li");
    const anchor = document.createElement("a");
    anchor.href = URL.createObjectURL(new Blob(parts, { type: "application/octet-stream" }));
    anchor.download = anchor.textContent = name;
    entry.append(anchor);
    return entry;
}
