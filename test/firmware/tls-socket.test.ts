/** The firmware's TLS socket with a session that only counts: one record is a byte of length and its data. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { RecordSocket } from "ssl/session";
import type { TCP, TCPConstructor, TCPOptions } from "../../src/device";
import type { ConnectionFailure } from "../../src/fault";
import { TLS_SESSION_BYTES } from "../../src/retained-memory";
import { peerOf, SessionCache } from "../../src/tls/session-cache";
import { loadModule } from "./module-loader";

const SESSION_ID = new Uint8Array(32).fill(5).buffer;
const SECRET = new Uint8Array(48).fill(6).buffer;

/** Answers of the server, in order: the number of the message, "done", or what is thrown. */
type Step = number | "done" | Error;

interface Stage {
	readonly socket: TCP;
	readonly tcp: TCPOptions;
	readonly sent: number[][];
	readonly failures: (ConnectionFailure | undefined)[];
	readonly rooms: number[];
	readonly announced: number[];
	readonly timers: (() => void)[];
	session: Record<string, unknown>;
	deliver(...bytes: number[]): void;
	closed: boolean;
}

async function openSocket(
	steps: Step[],
	failure?: ConnectionFailure,
	{ isVerified = true, kept = new Uint8Array(TLS_SESSION_BYTES), host = "broker.example" } = {},
): Promise<Stage> {
	const stage = {
		sent: [],
		failures: [],
		rooms: [],
		announced: [],
		timers: [],
		closed: false,
	} as unknown as Stage & { socket: TCP; tcp: TCPOptions };
	const input: number[] = [];
	class Session {
		handshakeProcess = 0;
		alert: unknown;
		clientCerts: unknown;
		certificateManager: unknown;
		cacheManager: SessionCache | undefined;
		serverSessionID: ArrayBuffer | undefined = SESSION_ID;
		masterSecret = SECRET;
		constructor() {
			stage.session = this as unknown as Record<string, unknown>;
		}
		initiateHandshake(): void {}
		handshake(records: RecordSocket): boolean {
			if (this.handshakeProcess === 0) {
				this.cacheManager!.getByHost();
				records.write(Uint8Array.of(22));
				this.handshakeProcess = -1;
				return false;
			}
			records.read(new Uint8Array(1));
			records.readable--;
			const step = steps.shift();
			if (step instanceof Error) throw step;
			if (typeof step === "number") this.handshakeProcess = step;
			// As the SDK's last step does
			else this.serverSessionID = undefined;
			return step === "done";
		}
		read(records: RecordSocket): Uint8Array | undefined | null {
			if (records.readable === 0) return undefined;
			const head = new Uint8Array(1);
			records.read(head);
			records.readable--;
			if (head[0] === 255) return null;
			const data = new Uint8Array(head[0]!);
			records.read(data);
			records.readable -= data.length;
			return data;
		}
		write(records: RecordSocket, data: Uint8Array): number {
			return records.write(Uint8Array.of(data.length, ...data));
		}
		close(records: RecordSocket): void {
			records.write(Uint8Array.of(21));
		}
	}
	class Below implements TCP {
		constructor(options: TCPOptions) {
			stage.tcp = options;
		}
		read(buffer: Uint8Array): number {
			for (let i = 0; i < buffer.length; i++) buffer[i] = input.shift()!;
			return buffer.length;
		}
		write(bytes: Uint8Array): number {
			stage.sent.push([...bytes]);
			return 1000;
		}
		close(): void {
			stage.closed = true;
		}
	}
	const { default: TLSSocket } = await loadModule<{ default: TCPConstructor }>("firmware/tls/socket", {
		modules: {
			"ssl/session": { default: Session },
			timer: { default: { set: (call: () => void) => stage.timers.push(call), clear: () => {} } },
			// Records of TLS have a test of their own.
			"firmware/tls/handshake-order": {
				HandshakeOrder: class {
					isOver = false;
					push(): void {
						this.isOver = steps[0] === "done";
					}
				},
			},
			"firmware/tls/certificates": {
				Certificates: class {
					failure = failure;
					isVerified = isVerified;
				},
			},
		},
	});
	stage.socket = new TLSSocket({
		host,
		address: "192.168.1.10",
		port: 8883,
		onReadable: (bytes) => void stage.announced.push(bytes),
		onWritable: (bytes) => void stage.rooms.push(bytes),
		onError: (error) => void stage.failures.push(error),
		...({ TCP: { io: Below }, secure: {}, kept } as object),
	});
	stage.deliver = (...bytes) => {
		input.push(...bytes);
		stage.tcp.onReadable!(input.length);
	};
	return stage;
}

async function established(): Promise<Stage> {
	const stage = await openSocket([2, "done"]);
	stage.tcp.onWritable!(1000);
	stage.deliver(0, 0);
	return stage;
}

test("the user is told once the handshake is complete, with room for a record's overhead", async () => {
	const stage = await openSocket([2, "done"]);
	assert.equal(stage.tcp.address, "192.168.1.10");
	stage.tcp.onWritable!(1000);
	assert.deepEqual([stage.sent, stage.rooms], [[[22]], []]);
	stage.deliver(0);
	assert.deepEqual(stage.rooms, []);
	assert.equal(stage.socket.write(Uint8Array.of(1)), undefined);
	stage.deliver(0);
	assert.deepEqual(stage.rooms, [931]);
	assert.equal(stage.socket.write(Uint8Array.of(1, 2)), 931);
	assert.deepEqual(stage.sent.at(-1), [2, 1, 2]);
	assert.throws(() => stage.socket.write(new Uint8Array(932)), /would block/);
});

test("records are announced one by one, and read in any pieces", async () => {
	const stage = await established();
	stage.deliver(3, 1, 2, 3, 1, 9);
	assert.deepEqual(stage.announced, [3]);
	const bytes = new Uint8Array(2);
	assert.equal(stage.socket.read(bytes), 2);
	assert.deepEqual([...bytes], [1, 2]);
	assert.throws(() => stage.socket.read(new Uint8Array(2)), /invalid/);
	assert.equal(stage.socket.read(new Uint8Array(1)), 1);
	for (const call of stage.timers.splice(0)) call();
	assert.deepEqual(stage.announced, [3, 1], "the next record, in a turn of its own");
	assert.equal(stage.socket.read(new Uint8Array(1)), 1);
	assert.equal(stage.socket.read(new Uint8Array(1)), undefined);
});

test("the end follows the last data", async () => {
	const stage = await established();
	stage.deliver(1, 7);
	stage.tcp.onError!();
	assert.deepEqual(stage.failures, []);
	stage.socket.read(new Uint8Array(1));
	for (const call of stage.timers.splice(0)) call();
	assert.deepEqual(stage.failures, [undefined]);
});

test("close_notify of the broker is the end", async () => {
	const stage = await established();
	stage.deliver(255);
	assert.deepEqual(stage.failures, [undefined]);
	assert.equal(stage.socket.write(Uint8Array.of(1)), undefined);
});

test("a certificate that is refused: its reason, not the SDK's error", async () => {
	const reason: ConnectionFailure = { fault: "configuration", message: "not for this name" };
	const stage = await openSocket([new Error("certificate: auth err")], reason);
	stage.tcp.onWritable!(1000);
	stage.deliver(0);
	assert.deepEqual(stage.failures, [reason]);
});

test("an alert after the broker has asked for a certificate: which one it misses", async () => {
	for (const [certificates, message] of [
		[[], /asks for a certificate/],
		[[new Uint8Array(1)], /does not accept the certificate/],
		[undefined, /alert 40 of the broker/],
	] as const) {
		const stage = await openSocket([new Error("alert: 2, 40")]);
		stage.tcp.onWritable!(1000);
		stage.session.alert = { level: 2, description: 40 };
		stage.session.clientCerts = certificates;
		stage.deliver(0);
		assert.match(stage.failures[0]!.message, message);
	}
});

test("TCP that ends: before it is established no reason, during the handshake one", async () => {
	const refused = await openSocket([]);
	refused.tcp.onError!();
	assert.deepEqual(refused.failures, [undefined]);
	const ended = await openSocket([]);
	ended.tcp.onWritable!(1000);
	ended.tcp.onError!();
	assert.equal(ended.failures[0]!.message, "the broker closed during the TLS handshake");
});

test("any error of the session stays in the socket, and ends it once", async () => {
	const stage = await openSocket([new Error("recordProtocol: bad data")]);
	stage.tcp.onWritable!(1000);
	stage.deliver(0);
	stage.tcp.onError!();
	assert.deepEqual(
		stage.failures.map((failure) => failure?.message),
		["the TLS handshake failed: Error: recordProtocol: bad data"],
	);
});

test("an error of the session after the handshake is no failed handshake, and ends the socket once", async () => {
	const stage = await established();
	stage.session.read = () => {
		throw new Error("auth err");
	};
	stage.deliver(1, 5);
	stage.tcp.onError!();
	assert.deepEqual(
		stage.failures.map((failure) => failure?.message),
		["the TLS connection is broken: Error: auth err"],
	);
});

test("close says close_notify, and nothing is called afterwards", async () => {
	const stage = await established();
	stage.socket.close();
	assert.deepEqual(stage.sent.at(-1), [21]);
	assert.ok(stage.closed);
	stage.deliver(1, 7);
	stage.tcp.onError!();
	assert.deepEqual([stage.announced, stage.failures], [[], []]);
	stage.socket.close();
});

/** What the socket has left for the next one to `host`. */
function keptSession(kept: Uint8Array, host: string): ReturnType<SessionCache["getByHost"]> {
	const peer = peerOf(host, 8883, {});
	return new SessionCache(kept.slice(), peer).getByHost();
}

for (const host of ["broker.example", "192.168.1.10"])
	test(`the handshake with ${host} is complete: the next socket may resume its session`, async () => {
		const kept = new Uint8Array(TLS_SESSION_BYTES);
		const stage = await openSocket([2, 20, "done"], undefined, { kept, host });
		stage.tcp.onWritable!(1000);
		stage.deliver(0);
		assert.equal(keptSession(kept, host), undefined);
		stage.deliver(0);
		assert.equal(stage.rooms.length, 1);
		assert.deepEqual(keptSession(kept, host), { id: SESSION_ID, secret: SECRET });
		assert.equal(keptSession(kept, "other.example"), undefined);
	});

for (const [what, wasKept, expected] of [
	["nothing was offered", false, ["the TLS handshake failed: Error: the broker has shown no certificate"]],
	["a session was resumed", true, []],
] as const)
	test(`a handshake without a certificate, where ${what}: ${wasKept ? "accepted" : "refused"}`, async () => {
		const kept = new Uint8Array(TLS_SESSION_BYTES);
		if (wasKept) {
			const first = await openSocket([20, "done"], undefined, { kept });
			first.tcp.onWritable!(1000);
			first.deliver(0, 0);
		}
		const stage = await openSocket(["done"], undefined, { isVerified: false, kept });
		stage.tcp.onWritable!(1000);
		stage.deliver(0);
		assert.deepEqual(
			stage.failures.map((failure) => failure?.message),
			expected,
		);
		assert.equal(stage.rooms.length, expected.length === 0 ? 1 : 0);
		if (expected.length > 0) assert.equal(stage.socket.write(Uint8Array.of(1)), undefined);
	});
