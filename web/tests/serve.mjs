/** A server of static files on localhost: several folders under one address. */

import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { join, normalize } from "node:path";

const TYPES = {
    html: "text/html; charset=utf-8",
    css: "text/css; charset=utf-8",
    js: "text/javascript; charset=utf-8",
    json: "application/json",
    wasm: "application/wasm",
};

/**
 * Serves `{ prefix: folder }`.
 * @returns {Promise<{ address: string, close: () => void }>}
 */
export async function serve(folders) {
    const server = createServer(async (request, response) => {
        const path = normalize(decodeURIComponent(new URL(request.url, "http://localhost").pathname));
        const prefix = Object.keys(folders).find((prefix) => path.startsWith(prefix));
        try {
            const name = path.slice(prefix.length) || "index.html";
            const bytes = await readFile(join(folders[prefix], name));
            const type = TYPES[name.split(".").at(-1)] ?? "application/octet-stream";
            response.writeHead(200, { "content-type": type, "cache-control": "no-store" }).end(bytes);
        } catch {
            response.writeHead(404).end();
        }
    });
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    return { address: `http://localhost:${server.address().port}`, close: () => server.close() };
}
