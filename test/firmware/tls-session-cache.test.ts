import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { type KeptSession, SessionCache } from "../../firmware/tls/session-cache";

const DAY_MS = 86_400_000;
const id = Uint8Array.of(1, 2, 3).buffer;
const otherId = Uint8Array.of(1, 2, 4).buffer;
const secret = new Uint8Array(48).fill(7).buffer;

beforeEach(() => mock.timers.enable({ apis: ["Date"], now: 1_700_000_000_000 }));
afterEach(() => mock.timers.reset());

/** A connection whose handshake is complete. */
function connect(kept: KeptSession, established: ArrayBuffer): SessionCache {
	const cache = new SessionCache(kept);
	cache.getByHost();
	cache.saveSession("broker.example", established, secret);
	return cache;
}

test("the next connection of the same broker and settings offers the session; one of others does not", () => {
	const kept: KeptSession = {};
	assert.equal(connect(kept, id).isOffered, false);
	const next = new SessionCache(kept);
	assert.deepEqual(next.getByHost(), { id, secret });
	assert.equal(next.isOffered, true);
	const other = new SessionCache({});
	assert.equal(other.getByHost(), undefined);
	assert.equal(other.isOffered, false);
});

test("a session that was offered and did not come to the end of the handshake: not offered again", () => {
	const kept: KeptSession = {};
	connect(kept, id);
	assert.notEqual(new SessionCache(kept).getByHost(), undefined);
	assert.equal(new SessionCache(kept).getByHost(), undefined);
});

test("a day after the certificate was checked the session is not offered, however often it was resumed", () => {
	const kept: KeptSession = {};
	connect(kept, id);
	for (let hour = 0; hour < 23; hour++) {
		mock.timers.tick(DAY_MS / 24);
		assert.equal(connect(kept, id).isOffered, true);
	}
	mock.timers.tick(DAY_MS / 24);
	assert.equal(new SessionCache(kept).getByHost(), undefined);
});

test("a broker that begins another session has shown its certificate: the day begins anew", () => {
	const kept: KeptSession = {};
	connect(kept, id);
	mock.timers.tick(DAY_MS - 1);
	connect(kept, otherId);
	mock.timers.tick(DAY_MS - 1);
	assert.deepEqual(new SessionCache(kept).getByHost(), { id: otherId, secret });
});

test("a clock that was set back: the session is not offered", () => {
	const kept: KeptSession = {};
	connect(kept, id);
	mock.timers.setTime(1_699_999_999_999);
	assert.equal(new SessionCache(kept).getByHost(), undefined);
});
