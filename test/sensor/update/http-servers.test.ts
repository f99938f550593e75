/** Images from real HTTP servers, over this machine's network. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { type AddressInfo, createServer as createSocketServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { ImageFlash } from "../../../sim/board/image-flash";
import { ImageDownload } from "../../../src/sensor/update/image-download";
import { ImageReceiver } from "../../../src/sensor/update/image-receiver";
import { type ImageURL, parseImageURL } from "../../../src/sensor/update/image-url";
import { nodeDevice } from "../../support/node-device";
import { digest, image } from "./support";

const IMAGE = image("works", 50_000);

interface Result {
	readonly problem: string | undefined;
	readonly mayRetry: boolean;
	/** SHA-256 of what has arrived. */
	readonly digest: string;
}

/** Fetches an image into a slot of 64 KB. */
function fetchImage(port: number, path = "/image.bin", host = "127.0.0.1"): Promise<Result> {
	const flash = new ImageFlash(64 * 1024);
	const receiver = new ImageReceiver(
		{ size: flash.size, running: 0, isOnTrial: false, wasRejected: false, open: () => flash.open() } as never,
		"esp32",
	);
	const url = parseImageURL(`http://${host}:${port}${path}`) as ImageURL;
	return new Promise((resolve) => {
		const download = new ImageDownload(nodeDevice(), url, receiver, 60_000, {
			onEnd: (problem, mayRetry) => resolve({ problem, mayRetry, digest: receiver.takeDigest() }),
		});
		download.open();
	});
}

async function serve(t: TestContext, listener: RequestListener): Promise<number> {
	const server = createServer(listener).listen(0, "127.0.0.1");
	await once(server, "listening");
	t.after(() => {
		server.closeAllConnections();
		server.close();
	});
	return (server.address() as AddressInfo).port;
}

async function serveRaw(t: TestContext, onRequest: (socket: Socket) => void): Promise<number> {
	const sockets = new Set<Socket>();
	const server = createSocketServer((socket) => {
		sockets.add(socket);
		socket.on("error", () => {});
		socket.once("data", () => onRequest(socket));
	}).listen(0, "127.0.0.1");
	await once(server, "listening");
	t.after(() => {
		for (const socket of sockets) socket.destroy();
		server.close();
	});
	return (server.address() as AddressInfo).port;
}

test("node:http, the image with its length: all of it arrives; the request has host, path and query", async (t) => {
	const requests: unknown[] = [];
	const port = await serve(t, (request, response) => {
		requests.push([request.method, request.url, request.headers.host, request.httpVersion]);
		response.setHeader("Content-Length", IMAGE.length).end(IMAGE);
	});
	assert.deepEqual(await fetchImage(port, "/image.bin?v=1"), {
		problem: undefined,
		mayRetry: false,
		digest: digest(IMAGE),
	});
	assert.deepEqual(requests, [["GET", "/image.bin?v=1", `127.0.0.1:${port}`, "1.0"]]);
});

test("a host name is resolved", async (t) => {
	const port = await serve(t, (_, response) => response.setHeader("Content-Length", IMAGE.length).end(IMAGE));
	assert.equal((await fetchImage(port, "/", "localhost")).problem, undefined);
});

test("node:http, in pieces with pauses: all of it arrives", async (t) => {
	const port = await serve(t, (_, response) => {
		response.setHeader("Content-Length", IMAGE.length);
		let sent = 0;
		const send = (): void => {
			if (sent >= IMAGE.length) return void response.end();
			response.write(IMAGE.subarray(sent, sent + 7001));
			sent += 7001;
			setTimeout(send, 5);
		};
		send();
	});
	assert.equal((await fetchImage(port)).digest, digest(IMAGE));
});

for (const [what, listener, problem, mayRetry] of [
	[
		"an answer without a length, which would be in chunks over HTTP/1.1",
		(_, response) => {
			response.write(IMAGE.subarray(0, 1000));
			response.end(IMAGE.subarray(1000));
		},
		"the server does not say how long the image is: its answer lacks Content-Length",
		false,
	],
	[
		"a redirect",
		(_, response) => response.writeHead(302, { Location: "/other" }).end(),
		"the server answers with status 302",
		false,
	],
	["not found", (_, response) => response.writeHead(404).end(), "the server answers with status 404", false],
	["an error", (_, response) => response.writeHead(500).end(), "the server answers with status 500", true],
] as const satisfies readonly [string, RequestListener, string, boolean][])
	test(`node:http, ${what}: ${problem}`, async (t) => {
		const found = await fetchImage(await serve(t, listener));
		assert.equal(found.problem, problem);
		assert.equal(found.mayRetry, mayRetry);
	});

test("a server that chunks all the same: refused", async (t) => {
	const port = await serveRaw(t, (socket) => {
		socket.end("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
	});
	assert.equal((await fetchImage(port)).problem, "the answer has a transfer encoding");
});

test("Content-Length less than what is sent: what it says is taken, and has another digest", async (t) => {
	const port = await serveRaw(t, (socket) => {
		socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${IMAGE.length - 100}\r\n\r\n`);
		socket.end(IMAGE);
	});
	const found = await fetchImage(port);
	assert.equal(found.problem, undefined);
	assert.equal(found.digest, digest(IMAGE.subarray(0, IMAGE.length - 100)));
});

for (const end of ["end", "resetAndDestroy"] as const)
	test(`Content-Length more than what is sent, then ${end}: the connection ended, try again`, async (t) => {
		const port = await serveRaw(t, (socket) => {
			socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${IMAGE.length}\r\n\r\n`);
			socket.write(IMAGE.subarray(0, 30_000), () => setTimeout(() => socket[end](), 50));
		});
		const found = await fetchImage(port);
		assert.match(String(found.problem), /^the connection ended after \d+ of \d+ bytes$/);
		assert.equal(found.mayRetry, true);
	});

test("nobody listens: the server cannot be reached, try again", async (t) => {
	const server = createSocketServer().listen(0, "127.0.0.1");
	await once(server, "listening");
	const { port } = server.address() as AddressInfo;
	server.close();
	await once(server, "close");
	t.diagnostic(`port ${port}`);
	const found = await fetchImage(port);
	assert.equal(found.problem, "the server cannot be reached");
	assert.equal(found.mayRetry, true);
});

const hasPython = spawnSync("python3", ["--version"]).status === 0;

test("python3 -m http.server: all of it arrives", {
	skip: !hasPython && !process.env.FIREFLY_REQUIRE_PEERS && "python3 is not installed",
}, async (t) => {
	const folder = mkdtempSync(join(tmpdir(), "firefly-image-"));
	writeFileSync(join(folder, "image.bin"), IMAGE);
	const server = spawn("python3", ["-u", "-m", "http.server", "0", "--bind", "127.0.0.1"], {
		cwd: folder,
		stdio: ["ignore", "pipe", "ignore"],
	});
	t.after(async () => {
		server.kill();
		await once(server, "exit");
		rmSync(folder, { recursive: true });
	});
	let said = "";
	server.stdout.setEncoding("utf8");
	while (!/port (\d+) /.test(said)) said += String((await once(server.stdout, "data"))[0]);
	const port = Number(/port (\d+)/.exec(said)?.[1]);
	assert.deepEqual(await fetchImage(port), { problem: undefined, mayRetry: false, digest: digest(IMAGE) });
	assert.equal((await fetchImage(port, "/none.bin")).problem, "the server answers with status 404");
});
