/** Debian's Chromium, without a screen, with WebGPU on SwiftShader or without WebGPU. */

import { chromium } from "playwright-core";

const QUIET = [
    "--no-sandbox",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
];
// Clocks of WebGPU are coarse by default.
const WEBGPU = [
    "--enable-unsafe-webgpu",
    "--use-webgpu-adapter=swiftshader",
    "--disable-dawn-features=timestamp_quantization",
];

/** Starts a browser. */
export function launch({ webgpu = true } = {}) {
    const args = webgpu ? [...QUIET, ...WEBGPU] : [...QUIET, "--disable-features=WebGPUService"];
    return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", headless: true, args });
}

/** A page that reports what goes wrong in it. */
export async function open(browser, address, options = {}) {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    // Machines of tests may be busy with others.
    page.setDefaultTimeout(120_000);
    page.on("pageerror", (error) => console.error(`in the page: ${error.message}`));
    page.on("console", (message) => {
        if (process.env.VERBOSE || message.type() === "error") {
            console.error(`in the page: ${message.text()}`);
        }
    });
    await page.goto(address);
    return page;
}
