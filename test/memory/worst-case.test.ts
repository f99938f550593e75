import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HASH, runWorstTraffic } from "./worst-traffic";

const users = { greenhouse: HASH };
const persistent = { persist: true, persistInterval: "1s" };

/** Settings with the default pools. */
const kinds: Readonly<Record<string, object>> = {
	"without users": { anonymous: true },
	"with users": { users },
	"with users and the page": { users, webSocket: 8080 },
	"with users and persistence": { users, ...persistent },
	"with users, the page and persistence": { users, webSocket: 8080, ...persistent },
};

describe("on XS in a device's arena, the broker survives the traffic that takes most memory", () => {
	for (const [name, listen] of Object.entries(kinds))
		test(`default pools, ${name}`, async (t) => {
			const { failures, served, memory } = await runWorstTraffic({ role: "broker", listen });
			t.diagnostic(`peak: ${memory.slotsPeak} slots, ${memory.chunksPeak} chunk bytes`);
			assert.deepEqual(failures, []);
			assert.ok(served, "a client that behaves is served in the end");
		});
});
