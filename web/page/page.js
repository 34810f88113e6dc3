/** The page: what this browser has, times and checks by order, and the inverses of a file. */

import { adapter, cpu } from "./package/batchinv.js";
import { draw } from "./chart.js";
import { invertFile } from "./file.js";
import { Contest, RUNNERS } from "./contest.js";

const ORDERS = [2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64];
const CHECKED = [2, 4, 8, 16, 32];

const find = (id) => document.getElementById(id);
let contest = null;

start();

async function start() {
    for (const order of ORDERS) {
        const label = document.createElement("label");
        const box = document.createElement("input");
        Object.assign(box, { type: "checkbox", name: "order", value: order, checked: CHECKED.includes(order) });
        label.append(box, String(order));
        find("orders").append(label);
    }
    find("measure").addEventListener("submit", (event) => {
        event.preventDefault();
        measure();
    });
    find("cancel").addEventListener("click", () => contest?.stop());
    takeFiles();
    try {
        const [gpu, host] = await Promise.all([adapter(), cpu()]);
        find("gpu-name").textContent = gpu ? describe(gpu) : "none: this browser offers no WebGPU adapter";
        const lanes = { simd128: "WebAssembly with 128-bit SIMD", portable: "WebAssembly without SIMD" };
        find("cpu-name").textContent = `${lanes[host.level]}, one thread`;
    } catch (error) {
        find("gpu-name").textContent = find("cpu-name").textContent = error.message;
    }
}

function describe({ name, software, subgroups, timestamps }) {
    const lanes = subgroups && (subgroups[0] === subgroups[1] ? subgroups[0] : subgroups.join(" to "));
    const parts = [name, software ? "software" : "", lanes ? `subgroups of ${lanes}` : "no subgroups"];
    return [...parts, timestamps ? "" : "no clock"].filter(Boolean).join(", ");
}

async function measure() {
    const orders = [...document.querySelectorAll("input[name=order]:checked")].map((box) => Number(box.value));
    if (orders.length === 0) {
        find("state").textContent = "Choose at least one order.";
        return;
    }
    contest = new Contest(orders, Number(find("megabytes").value) << 20);
    busy(true);
    find("body").replaceChildren();
    const rows = [];
    let ended = "Done.";
    try {
        for await (const step of contest.run()) {
            find("progress").value = step.done;
            find("state").textContent = step.doing;
            if (step.row) {
                rows.push(step.row);
                show(rows);
            }
        }
        ended = contest.stopped ? "Stopped." : `Done. ${ran(rows)}`;
    } catch (error) {
        ended = error.message;
    }
    find("state").textContent = ended;
    busy(false);
}

function busy(is) {
    find("run").disabled = is;
    find("cancel").hidden = !is;
    find("progress").hidden = !is;
    find("progress").value = 0;
    if (!is) {
        find("run").focus({ preventScroll: true });
    }
}

/** What ran on the GPU. */
function ran(rows) {
    const reports = rows.map(({ results }) => results.gpu?.report).filter(Boolean);
    const kernels = [...new Set(reports.map(({ kernel }) => kernel))];
    return reports.length
        ? `The GPU engine ran on ${reports[0].adapter}, by the kernels ${kernels.join(", ")}.`
        : "";
}

function show(rows) {
    const runners = RUNNERS.filter(({ key }) => rows.some(({ results }) => results[key]));
    const head = cells("th", [
        "Order",
        "Matrices",
        ...runners.map(({ name }) => name),
        "Kernel",
        "Residual",
        "Singular",
    ]);
    find("head").replaceChildren(head);
    find("body").replaceChildren(...rows.map((row) => line(row, runners)));
    find("figure").hidden = find("results").hidden = false;
    draw(
        find("chart"),
        runners.map(({ key, name }) => ({
            name,
            style: key,
            points: rows.flatMap(({ order, len, results }) =>
                results[key]?.seconds ? [[order, results[key].seconds / len]] : [],
            ),
        })),
    );
}

function line({ order, len, planted, results }, runners) {
    const times = runners.map(({ key }) => results[key]?.seconds ?? Infinity);
    const best = Math.min(...times.filter((_, index) => runners[index].key !== "gpu-alone"));
    const own = [results.gpu, results.cpu].filter((result) => result?.seconds);
    const residual = Math.max(...own.map((result) => result.residual));
    const found = own.map((result) => result.singular);
    const row = cells("td", [
        order,
        len.toLocaleString("en"),
        ...times.map((seconds) => (seconds === Infinity ? "" : micro(seconds / len))),
        own.map(({ report }) => report.kernel).join(", "),
        residual.toFixed(2),
        found.every((count) => count === planted)
            ? `${planted} of ${planted}`
            : `${found.join(", ")} of ${planted}`,
    ]);
    times.forEach((seconds, index) => row.children[2 + index].classList.toggle("best", seconds === best));
    runners.forEach(({ key }, index) => {
        const error = results[key]?.error;
        if (error) {
            Object.assign(row.children[2 + index], { textContent: "failed", title: error, className: "failed" });
        }
    });
    const fine = residual < 3;
    row.children[3 + runners.length].className = fine ? "right" : "wrong";
    row.children[4 + runners.length].className = found.every((count) => count === planted) ? "right" : "wrong";
    return row;
}

function cells(kind, values) {
    const row = document.createElement("tr");
    for (const [index, value] of values.entries()) {
        const cell = document.createElement(kind);
        cell.textContent = value;
        if (kind === "th" || index === 0) {
            cell.scope = kind === "th" ? "col" : "";
        }
        row.append(cell);
    }
    return row;
}

function micro(seconds) {
    return (seconds * 1e6).toLocaleString("en", { maximumSignificantDigits: 3 });
}

/** Files come by the chooser, by dropping and by pasting. */
function takeFiles() {
    const drop = find("drop");
    const take = async (file) => {
        if (file) {
            find("outcome").textContent = `Inverting ${file.name}…`;
            find("outcome").replaceChildren(await invertFile(file, find("engine").value));
        }
    };
    find("file").addEventListener("change", (event) => take(event.target.files[0]));
    for (const kind of ["dragover", "dragleave", "drop"]) {
        document.addEventListener(kind, (event) => {
            event.preventDefault();
            drop.classList.toggle("over", kind === "dragover");
        });
    }
    document.addEventListener("drop", (event) => take(event.dataTransfer.files[0]));
    document.addEventListener("paste", (event) => take(event.clipboardData.files[0]));
}
