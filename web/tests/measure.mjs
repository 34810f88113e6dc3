/**
 * Times in Chromium on SwiftShader:
 *
 *   node measure.mjs PACKAGE SITE                       prints JSON
 *   node measure.mjs PACKAGE SITE passes ORDER LEN      prints the seconds in the passes of the GPU engine
 *
 * The former times the CPU engine against gl-matrix at order 4 and against plain JavaScript by order, all on one thread
 * of the page, turn by turn, and the first results of a page. Each number is the best of several.
 */

import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

import { launch, open } from "./chromium.mjs";
import { serve } from "./serve.mjs";

const [, , pack, site, what, order, len] = process.argv;
const here = dirname(fileURLToPath(import.meta.url));
const server = await serve({ "/package/": pack, "/tests/": here, "/": site });
const browser = await launch();

/** Runs a function of browser/measure.js in a page of its own. */
async function measure(name, ...values) {
    const page = await open(browser, `${server.address}/tests/empty.html`);
    const result = await page.evaluate(
        async ([name, values]) => (await import("/tests/browser/measure.js"))[name](...values),
        [name, values],
    );
    await page.context().close();
    return result;
}

if (what === "passes") {
    console.log(await measure("passes", Number(order), Number(len)));
} else {
    const results = { order4: await measure("order4"), byOrder: await measure("byOrder"), first: {} };
    for (let visit = 0; visit < 5; visit += 1) {
        for (const [name, milliseconds] of Object.entries(await measure("first"))) {
            results.first[name] = Math.min(results.first[name] ?? Infinity, milliseconds);
        }
    }
    console.log(JSON.stringify(results, null, 1));
}
await browser.close();
server.close();
