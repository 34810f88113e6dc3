/** The page's reader of .npy files against what NumPy wrote, and its plain elimination against NumPy's inverses. */

import { strict as assert } from "node:assert";
import { readdir, readFile } from "node:fs/promises";
import { test } from "node:test";

import { read } from "../page/npy.js";
import { invertAll } from "../page/plain.js";

const folder = new URL("../../tests/data/", import.meta.url);

async function load(name) {
    const bytes = await readFile(new URL(name, folder));
    return read(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

const names = (await readdir(folder)).filter((name) => name.endsWith(".expected.npy"));
/** Rounding decides which of these are singular, and differs by algorithm. */
const ROUNDED = ["singular.expected.npy"];

for (const name of names) {
    test(`as NumPy wrote it: ${name.replace(".expected", "")}`, async () => {
        const given = await load(name.replace(".expected", ""));
        const expected = await load(name);
        assert.deepEqual(given.shape, expected.shape);
        assert.equal(given.complex, expected.complex);
        if (given.complex || ROUNDED.includes(name)) {
            return;
        }
        const inverses = new Float64Array(given.elements.length);
        invertAll(given.elements, given.order, inverses);
        const size = given.order ** 2;
        for (let at = 0; at < inverses.length; at += size) {
            const [own, theirs] = [inverses, expected.elements].map((array) => array.subarray(at, at + size));
            const largest = theirs.reduce((largest, element) => Math.max(largest, Math.abs(element)), 0);
            const eps = given.elements instanceof Float32Array ? 2 ** -20 : 2 ** -40;
            theirs.forEach((element, index) => {
                const near = Math.abs(own[index] - element) <= eps * largest;
                assert.ok(
                    Number.isNaN(element) ? Number.isNaN(own[index]) : near,
                    `${at + index}: ${own[index]}, ${element}`,
                );
            });
        }
    });
}

test("there are files", () => assert.ok(names.length > 10));
