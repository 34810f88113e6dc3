/** The page: opened, used by mouse, keyboard and file, and photographed. */

import { strict as assert } from "node:assert";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import { open } from "./chromium.mjs";
import { read, write } from "../page/npy.js";

const FORMS = [
    ["desktop-light", { viewport: { width: 1200, height: 900 }, colorScheme: "light" }],
    ["desktop-dark", { viewport: { width: 1200, height: 900 }, colorScheme: "dark" }],
    [
        "phone-light",
        { viewport: { width: 390, height: 844 }, colorScheme: "light", hasTouch: true, isMobile: true },
    ],
    ["phone-dark", { viewport: { width: 390, height: 844 }, colorScheme: "dark", hasTouch: true, isMobile: true }],
];

export async function pageTests(test, browser, address, pictures) {
    await mkdir(pictures, { recursive: true });

    for (const [form, options] of FORMS) {
        await test(`page: measures and checks, ${form}`, async () => {
            const page = await open(browser, `${address}/`, options);
            await page.waitForFunction(() => !document.getElementById("gpu-name").textContent.includes("looking"));
            const gpu = await page.textContent("#gpu-name");
            assert.match(gpu, /software, subgroups of 4/);
            await page.selectOption("#megabytes", "1");
            await page.click("#run");
            await page.waitForFunction(
                () => document.getElementById("state").textContent.startsWith("Done"),
                null,
                {
                    timeout: 120_000,
                },
            );
            assert.match(await page.textContent("#state"), /by the kernels thread, subgroup/);
            const rows = await page.$$eval("#body tr", (rows) =>
                rows.map((row) => [...row.cells].map((cell) => cell.textContent)),
            );
            assert.equal(rows.length, 5);
            for (const row of rows) {
                assert.equal(row.at(-1), "3 of 3", `singular matrices at order ${row[0]}`);
                assert.ok(Number(row.at(-2)) < 3, `the residual at order ${row[0]}`);
            }
            assert.equal(rows.filter((row) => row[6] !== "").length, 1, "gl-matrix at order 4 alone");
            assert.equal(await page.locator("svg .series").count(), 5);
            // A larger matrix takes longer: numbers from 1000 on keep all their digits.
            const micros = rows.map((row) => Number(row[2].replaceAll(",", "")));
            assert.ok(
                micros.every((time, index) => index === 0 || time > micros[index - 1]),
                String(micros),
            );
            if (form.startsWith("desktop")) {
                const cut = await page.evaluate(
                    () =>
                        document.querySelector(".table").scrollWidth > document.querySelector(".table").clientWidth,
                );
                assert.ok(!cut, "the table does not fit");
            }
            const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
            assert.ok(!wide, "the page is wider than the screen");
            await page.screenshot({ path: join(pictures, `${form}.png`), fullPage: true });
            await page.context().close();
        });
    }

    await test("page: by keyboard alone", async () => {
        const page = await open(browser, `${address}/`, FORMS[0][1]);
        await page.waitForSelector("#orders input");
        const seen = [];
        for (let presses = 0; presses < 40; presses += 1) {
            await page.keyboard.press("Tab");
            seen.push(
                await page.evaluate(
                    () =>
                        document.activeElement.id ||
                        document.activeElement.name ||
                        document.activeElement.className,
                ),
            );
            if (seen.at(-1) === "run") {
                break;
            }
        }
        assert.deepEqual(
            [seen[0], seen.filter((name) => name === "order").length, seen.at(-2), seen.at(-1)],
            ["skip", 11, "megabytes", "run"],
        );
        await page.screenshot({ path: join(pictures, "keyboard.png") });
        await page.keyboard.press("Enter");
        await page.waitForSelector("#cancel:not([hidden])");
        await page.focus("#cancel");
        await page.keyboard.press("Space");
        await page.waitForFunction(() => document.getElementById("state").textContent === "Stopped.");
        assert.equal(await page.evaluate(() => document.activeElement.id), "run");
        await page.keyboard.press("Tab");
        await page.context().close();
    });

    await test("page: no order chosen", async () => {
        const page = await open(browser, `${address}/`);
        await page.waitForSelector("#orders input");
        await page.$$eval("#orders input", (boxes) => boxes.forEach((box) => (box.checked = false)));
        await page.click("#run");
        assert.equal(await page.textContent("#state"), "Choose at least one order.");
        await page.context().close();
    });

    await test("page: a file comes back as its inverses, chosen, dropped and pasted", async () => {
        const page = await open(browser, `${address}/`, { ...FORMS[0][1], acceptDownloads: true });
        const elements = Float64Array.of(4, 7, 2, 6, 1, 2, 2, 4, 2, 0, 0, 4);
        const file = Buffer.from(await new Blob(write(elements, [3, 1, 2, 2])).arrayBuffer());
        await page.setInputFiles("#file", {
            name: "stack.npy",
            mimeType: "application/octet-stream",
            buffer: file,
        });
        await page.waitForSelector("#outcome li");
        const words = await page.textContent("#outcome p");
        assert.match(
            words,
            /^3 matrices of order 2, shape \(3, 1, 2, 2\), on the CPU, kernel \w+\. 1 without an inverse/,
        );
        assert.match(words, /the first at position 1: singular, the pivot of column 2 is zero\.$/);
        const download = async (index) => {
            const [got] = await Promise.all([
                page.waitForEvent("download"),
                page.locator("#outcome a").nth(index).click(),
            ]);
            const bytes = await readFile(await got.path());
            return [got.suggestedFilename(), bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)];
        };
        const [name, bytes] = await download(0);
        assert.equal(name, "stack-inverses.npy");
        const { elements: inverses, shape } = read(bytes);
        assert.deepEqual(shape, [3, 1, 2, 2]);
        assert.ok(Math.abs(inverses[0] - 0.6) < 1e-15 && Number.isNaN(inverses[4]) && inverses[11] === 0.25);
        const [, statuses] = await download(1);
        assert.deepEqual([...new Int32Array(statuses.slice(-12))], [0, 2, 0]);
        await page.screenshot({ path: join(pictures, "file.png"), fullPage: true });

        for (const kind of ["drop", "paste"]) {
            await page.evaluate(
                ([kind, bytes]) => {
                    const transfer = new DataTransfer();
                    transfer.items.add(new File([Uint8Array.from(bytes)], `${kind}.npy`));
                    const event =
                        kind === "drop"
                            ? new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true })
                            : new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true });
                    document.body.dispatchEvent(event);
                },
                [kind, [...file]],
            );
            await page.waitForFunction(
                (kind) => document.querySelector("#outcome a")?.download === `${kind}-inverses.npy`,
                kind,
            );
        }
        await page.context().close();
    });

    await test("page: files that are none say so", async () => {
        const page = await open(browser, `${address}/`);
        const good = Buffer.from(await new Blob(write(Float32Array.of(1, 2, 3, 4), [2, 2])).arrayBuffer());
        const oblong = Buffer.from(await new Blob(write(Float32Array.of(1, 2, 3, 4), [1, 4])).arrayBuffer());
        for (const [buffer, words] of [
            [Buffer.from("PK"), "this is no .npy file"],
            [oblong, "the last two axes must be a square matrix"],
            [good.subarray(0, good.length - 1), "the header promises 16 bytes, the file holds 15"],
            [good.subarray(0, 20), "the file ends within its header"],
        ]) {
            await page.setInputFiles("#file", { name: "odd.npy", mimeType: "application/octet-stream", buffer });
            await page.waitForFunction(
                (words) => document.querySelector("#outcome .failed")?.textContent.includes(words),
                words,
                { timeout: 10_000 },
            );
        }
        await page.context().close();
    });
}
