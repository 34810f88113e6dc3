/** The picture of times by order, on two logarithmic axes. */

const SVG = "http://www.w3.org/2000/svg";
const EDGE = { left: 62, right: 10, top: 12, bottom: 44 };

/**
 * Draws series of `[order, seconds]`, with a key above them.
 * @param {HTMLElement} place
 * @param {{ name: string, style: string, points: [number, number][] }[]} series
 */
export function draw(place, series) {
    // One unit is one pixel, so that words keep their size on a phone.
    const width = Math.max(280, place.clientWidth || 760);
    const height = Math.round(Math.max(260, Math.min(380, width / 2)));
    const drawn = series.filter(({ points }) => points.length > 0);
    const orders = [...new Set(drawn.flatMap(({ points }) => points.map(([order]) => order)))].sort(
        (a, b) => a - b,
    );
    const times = drawn.flatMap(({ points }) => points.map(([, seconds]) => seconds * 1e6));
    const [low, high] = [Math.floor(Math.log10(Math.min(...times))), Math.ceil(Math.log10(Math.max(...times)))];
    const across = scale(Math.log2(orders[0]), Math.log2(orders.at(-1)), EDGE.left + 12, width - EDGE.right - 12);
    const up = scale(low, Math.max(high, low + 1), height - EDGE.bottom, EDGE.top);

    const svg = element("svg", { viewBox: `0 0 ${width} ${height}`, role: "img" });
    svg.setAttribute("aria-label", "Time per matrix by order. The table below holds the same numbers.");
    for (let power = low; power <= Math.max(high, low + 1); power += 1) {
        const y = up(power);
        svg.append(element("line", { x1: EDGE.left, x2: width - EDGE.right, y1: y, y2: y, class: "grid" }));
        svg.append(text(EDGE.left - 8, y + 4, unit(power), "end"));
    }
    for (const order of orders) {
        svg.append(text(across(Math.log2(order)), height - EDGE.bottom + 20, String(order), "middle"));
    }
    svg.append(text((EDGE.left + width - EDGE.right) / 2, height - 6, "order", "middle"));
    for (const { points, style } of drawn) {
        const group = element("g", { class: `series ${style}` });
        const places = points.map(([order, seconds]) => [across(Math.log2(order)), up(Math.log10(seconds * 1e6))]);
        const path = places.map(([x, y], index) => `${index ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
        group.append(element("path", { d: path }));
        group.append(...places.map(([x, y]) => element("circle", { cx: x.toFixed(1), cy: y.toFixed(1), r: 4 })));
        svg.append(group);
    }
    const key = document.createElement("ul");
    key.className = "key";
    for (const { name, style } of drawn) {
        const entry = document.createElement("li");
        entry.className = style;
        entry.textContent = name;
        key.append(entry);
    }
    place.replaceChildren(key, svg);
}

function scale(from, to, start, end) {
    return (value) => (to === from ? (start + end) / 2 : start + ((value - from) / (to - from)) * (end - start));
}

/** A power of ten of microseconds. */
function unit(power) {
    const names = { "-3": "1 ns", "-2": "10 ns", "-1": "100 ns", 0: "1 µs", 1: "10 µs", 2: "100 µs", 3: "1 ms" };
    return names[power] ?? (power > 3 ? `${10 ** (power - 3)} ms` : `1e${power} µs`);
}

function text(x, y, words, anchor) {
    const made = element("text", { x, y, "text-anchor": anchor });
    made.textContent = words;
    return made;
}

function element(name, attributes) {
    const made = document.createElementNS(SVG, name);
    for (const [attribute, value] of Object.entries(attributes)) {
        made.setAttribute(attribute, value);
    }
    return made;
}
