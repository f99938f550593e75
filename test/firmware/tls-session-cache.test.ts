import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import fc from "fast-check";
import { TLS_SESSION_BYTES } from "../../src/retained-memory";
import { SessionCache } from "../../src/tls/session-cache";

const DAY_MS = 86_400_000;
const PEER = 0xfedc_ba98;
const id = new Uint8Array(32).fill(3).buffer;
const otherId = Uint8Array.of(1, 2, 4).buffer;
const secret = new Uint8Array(48).fill(7).buffer;

beforeEach(() => mock.timers.enable({ apis: ["Date"], now: 1_700_000_000_000 }));
afterEach(() => mock.timers.reset());

const emptyMemory = (): Uint8Array => new Uint8Array(TLS_SESSION_BYTES);
const offered = (memory: Uint8Array, peer = PEER): ReturnType<SessionCache["getByHost"]> =>
	new SessionCache(memory, peer).getByHost();

/** A connection whose handshake is complete. @param established undefined: the broker keeps no sessions */
function connect(memory: Uint8Array, established: ArrayBuffer | undefined): SessionCache {
	const cache = new SessionCache(memory, PEER);
	cache.getByHost();
	cache.put(established, secret);
	return cache;
}

test("the next connection of the same broker and settings offers the session; one of others does not", () => {
	const memory = emptyMemory();
	assert.equal(connect(memory, id).isOffered, false);
	const next = new SessionCache(memory.slice(), PEER);
	assert.deepEqual(next.getByHost(), { id, secret });
	assert.equal(next.isOffered, true);
	const other = new SessionCache(memory, PEER - 1);
	assert.equal(other.getByHost(), undefined);
	assert.equal(other.isOffered, false);
});

test("a short identifier after a long one: exactly its bytes are offered", () => {
	const memory = emptyMemory();
	connect(memory, id);
	connect(memory, otherId);
	assert.deepEqual(offered(memory), { id: otherId, secret });
});

test("a broker that keeps no sessions: none is offered, and nothing of the last one is left", () => {
	const memory = emptyMemory();
	connect(memory, id);
	connect(memory, undefined);
	assert.equal(offered(memory), undefined);
	assert.ok(!memory.includes(7));
});

test("a session that was offered and did not come to the end of the handshake: not offered again", () => {
	const memory = emptyMemory();
	connect(memory, id);
	assert.notEqual(offered(memory), undefined);
	assert.ok(!memory.includes(7), "the secret is erased");
	assert.equal(offered(memory), undefined);
});

test("two handshakes in a row that fail with an offered session: none is offered for a day", () => {
	const memory = emptyMemory();
	connect(memory, id);
	assert.notEqual(offered(memory), undefined);
	connect(memory, id);
	assert.notEqual(offered(memory), undefined);
	for (let hour = 0; hour < 24; hour++) {
		assert.equal(connect(memory, id).isOffered, false);
		mock.timers.tick(DAY_MS / 24);
	}
	assert.equal(connect(memory, id).isOffered, false);
	assert.equal(connect(memory, id).isOffered, true);
});

test("a handshake that fails with an offered session, then one that resumes: the failure is forgotten", () => {
	const memory = emptyMemory();
	for (let i = 0; i < 5; i++) {
		connect(memory, id);
		assert.notEqual(offered(memory), undefined);
		connect(memory, id);
		assert.equal(connect(memory, id).isOffered, true);
	}
});

test("a day after the certificate was checked the session is not offered, however often it was resumed", () => {
	const memory = emptyMemory();
	connect(memory, id);
	for (let hour = 0; hour < 23; hour++) {
		mock.timers.tick(DAY_MS / 24);
		assert.equal(connect(memory, id).isOffered, true);
	}
	mock.timers.tick(DAY_MS / 24);
	assert.equal(offered(memory), undefined);
});

test("a broker that begins another session has shown its certificate: the day begins anew", () => {
	const memory = emptyMemory();
	connect(memory, id);
	mock.timers.tick(DAY_MS - 1);
	connect(memory, otherId);
	mock.timers.tick(DAY_MS - 1);
	assert.deepEqual(offered(memory), { id: otherId, secret });
});

test("a clock that was set back: the session is not offered", () => {
	const memory = emptyMemory();
	connect(memory, id);
	mock.timers.setTime(1_699_999_999_999);
	assert.equal(offered(memory), undefined);
});

test("any content, and any write that is cut short: the whole session is offered, or none", () => {
	const written = emptyMemory();
	connect(written, id);
	fc.assert(
		fc.property(
			fc.uint8Array({ minLength: TLS_SESSION_BYTES, maxLength: TLS_SESSION_BYTES }),
			fc.nat(TLS_SESSION_BYTES),
			(garbage, cut) => {
				assert.equal(offered(garbage), undefined);
				const torn = garbage.slice();
				torn.set(written.subarray(0, cut));
				// The rest of garbage may be what was to be written. To be offered erases the secret.
				const isWhole = torn.every((byte, i) => byte === written[i]);
				assert.deepEqual(offered(torn), isWhole ? { id, secret } : undefined);
			},
		),
	);
});
