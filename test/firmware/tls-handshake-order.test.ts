/** What servers send in the clear, recorded from OpenSSL, and what somebody in between could make of it. */
import assert from "node:assert/strict";
import { constants } from "node:crypto";
import { readFileSync } from "node:fs";
import net, { type AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import tls from "node:tls";
import { HandshakeOrder } from "../../firmware/tls/handshake-order";
import { CertificateFolder, opensslInstalled } from "../support/certificates";

const skip = opensslInstalled || process.env.FIREFLY_REQUIRE_PEERS ? false : "openssl is not installed";

/** Passes bytes on one by one, as they may arrive. */
function check(bytes: Uint8Array): HandshakeOrder {
	const order = new HandshakeOrder();
	for (const byte of bytes) order.push(Uint8Array.of(byte));
	return order;
}

function record(type: number, ...bytes: number[]): number[] {
	return [type, 3, 3, bytes.length >> 8, bytes.length & 0xff, ...bytes];
}

function message(type: number, ...body: number[]): number[] {
	return [type, 0, body.length >> 8, body.length & 0xff, ...body];
}

const handshake = (...messages: number[][]): number[] => record(22, ...messages.flat());

/** ServerKeyExchange with a point of two bytes. */
const keyExchange = (hash: number, signature: number): number[] =>
	message(12, 3, 0, 23, 2, 9, 9, hash, signature, 0, 1, 7);

const HELLO = message(2, 3, 3);
const CERTIFICATE = message(11, 0, 0, 0);
const DONE = message(14);
const CHANGE = record(20, 1);

describe("an OpenSSL server", { skip }, () => {
	const folder = skip === false ? new CertificateFolder() : undefined;
	let server: tls.Server;
	before(async () => {
		const certificate = folder!.make("server", { names: "IP:127.0.0.1", issuer: folder!.make("authority") });
		const sessions = new Map<string, Buffer>();
		server = tls.createServer({
			cert: readFileSync(certificate.pem),
			key: readFileSync(certificate.key),
			maxVersion: "TLSv1.2",
			secureOptions: constants.SSL_OP_NO_TICKET,
			requestCert: true,
			rejectUnauthorized: false,
			sessionIdContext: "test",
		});
		server.on("newSession", (id: Buffer, data: Buffer, done: () => void) => {
			sessions.set(id.toString("hex"), data);
			done();
		});
		server.on("resumeSession", (id: Buffer, done: (error: null, data: Buffer | null) => void) =>
			done(null, sessions.get(id.toString("hex")) ?? null),
		);
		server.on("secureConnection", (socket) => socket.end("x"));
		await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	});
	after(() => {
		server?.close();
		folder?.remove();
	});

	/** Records what the server sends to a client that offers what the SDK does. */
	async function recordHandshake(
		ciphers: string,
		session?: Buffer,
	): Promise<{ readonly bytes: Buffer; readonly session: Buffer | undefined; readonly resumed: boolean }> {
		const chunks: Buffer[] = [];
		const between = net.createServer((near) => {
			const far = net.connect((server.address() as AddressInfo).port, "127.0.0.1");
			near.on("error", () => far.destroy());
			far.on("error", () => near.destroy());
			far.on("data", (chunk: Buffer) => void chunks.push(chunk));
			near.pipe(far).pipe(near);
		});
		await new Promise<void>((resolve) => between.listen(0, "127.0.0.1", resolve));
		const client = tls.connect({
			host: "127.0.0.1",
			port: (between.address() as AddressInfo).port,
			ciphers,
			sigalgs: "ECDSA+SHA256:RSA+SHA256",
			maxVersion: "TLSv1.2",
			rejectUnauthorized: false,
			secureOptions: constants.SSL_OP_NO_TICKET,
			...(session === undefined ? {} : { session }),
		});
		let made: Buffer | undefined;
		client.on("session", (data: Buffer) => {
			made = data;
		});
		let resumed = false;
		client.on("secureConnect", () => {
			resumed = client.isSessionReused();
		});
		client.resume();
		await new Promise<void>((resolve, reject) => client.on("error", reject).on("close", () => resolve()));
		between.close();
		return { bytes: Buffer.concat(chunks), session: made, resumed };
	}

	for (const cipher of ["AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256"])
		test(`${cipher}: its handshake is accepted, also one that resumes a session`, async () => {
			const first = await recordHandshake(cipher);
			assert.ok(check(first.bytes).isOver);
			const second = await recordHandshake(cipher, first.session);
			assert.ok(second.resumed);
			assert.ok(check(second.bytes).isOver);
		});

	test("somebody puts data before any of its records: refused", async () => {
		const { bytes } = await recordHandshake("AES128-GCM-SHA256");
		for (let at = 0; bytes[at] !== 20; at += 5 + bytes.readUInt16BE(at + 3))
			assert.throws(
				() =>
					check(Buffer.concat([bytes.subarray(0, at), Buffer.from(record(23, 0x20, 3)), bytes.subarray(at)])),
				/data before the end/,
			);
	});
});

test("a key exchange without a signature, or with another algorithm than offered: refused", () => {
	const flight = (hash: number, signature: number): number[] => [
		...handshake(HELLO),
		...handshake(CERTIFICATE, keyExchange(hash, signature), DONE),
		...CHANGE,
	];
	assert.ok(check(Uint8Array.from(flight(4, 1))).isOver);
	assert.ok(check(Uint8Array.from(flight(4, 3))).isOver);
	for (const [hash, signature] of [
		[0, 1],
		[4, 0],
		[0, 0],
		[2, 1],
		[4, 2],
		[8, 4],
	] as const)
		assert.throws(() => check(Uint8Array.from(flight(hash, signature))), /not offered/);
});

test("messages out of order, repeated or missing: refused", () => {
	const signed = keyExchange(4, 1);
	for (const flight of [
		handshake(CERTIFICATE),
		handshake(HELLO, HELLO),
		handshake(HELLO, DONE),
		handshake(HELLO, signed),
		handshake(HELLO, CERTIFICATE, CERTIFICATE),
		handshake(HELLO, CERTIFICATE, signed, signed),
		handshake(HELLO, CERTIFICATE, DONE, signed),
		handshake(HELLO, CERTIFICATE, DONE, message(20, 1)),
		handshake(HELLO, message(20, 1)),
		handshake(message(0)),
		CHANGE,
		[...handshake(HELLO, CERTIFICATE), ...CHANGE],
		[...handshake(HELLO, CERTIFICATE, DONE.slice(0, 2)), ...CHANGE],
	])
		assert.throws(() => check(Uint8Array.from(flight)), /after|out of order/);
});

test("after ChangeCipherSpec nothing is looked at, and an alert may come before", () => {
	const order = new HandshakeOrder();
	const flight = [...record(21, 1, 90), ...handshake(HELLO, CERTIFICATE, message(13, 1), DONE), ...CHANGE];
	order.push(Uint8Array.from([...flight, 99, 99, 99, 99, 99, 99]));
	assert.ok(order.isOver);
});
