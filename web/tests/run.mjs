/**
 * Tests of the package and of the page in a real browser:
 *
 *   node run.mjs PACKAGE PROGRAM SITE EXPECTED PICTURES [NAME]
 *
 * PACKAGE and PROGRAM are what web/build.sh built, SITE what web/page.sh put together, EXPECTED what the test
 * `browser_cases` wrote. Pictures of the page go to PICTURES. With NAME, only tests run whose names contain it.
 */

import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

import { launch, open } from "./chromium.mjs";
import { pageTests } from "./page.mjs";
import { serve } from "./serve.mjs";

const [, , pack, program, site, expected, pictures, wanted = ""] = process.argv;
const here = dirname(fileURLToPath(import.meta.url));
const server = await serve({
    "/package/": pack,
    "/program/": program,
    "/expected/": expected,
    "/tests/": here,
    "/": site,
});

let [passed, failed] = [0, 0];

async function test(name, run) {
    if (!name.includes(wanted)) {
        return;
    }
    const start = performance.now();
    try {
        const note = (await run()) ?? "";
        passed += 1;
        console.log(`ok   ${name} (${((performance.now() - start) / 1e3).toFixed(1)} s) ${note}`);
    } catch (error) {
        failed += 1;
        console.log(`FAIL ${name}: ${error.message}`);
    }
}

/** Runs the tests that a module exports, each in a page of its own. */
async function suite(browser, module) {
    const list = await open(browser, `${server.address}/tests/empty.html`);
    const names = await list.evaluate(async (module) => Object.keys((await import(module)).tests), module);
    await list.context().close();
    for (const name of names) {
        await test(name, async () => {
            const page = await open(browser, `${server.address}/tests/empty.html`);
            try {
                return await page.evaluate(
                    async ([module, name]) => (await import(module)).tests[name](),
                    [module, name],
                );
            } finally {
                await page.context().close();
            }
        });
    }
}

const browser = await launch();
console.log(`Chromium ${browser.version()}`);
for (const module of ["cpu.js", "gpu.js", "jobs.js", "faults.js", "shaders.js", "program.js"]) {
    await suite(browser, `/tests/browser/${module}`);
}
await pageTests(test, browser, server.address, pictures);
await browser.close();

const without = await launch({ webgpu: false });
await suite(without, "/tests/browser/without_webgpu.js");
await without.close();

server.close();
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
