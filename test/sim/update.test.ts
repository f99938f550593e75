/** Images over the network, from the command to the first report of the new one, in the whole simulator. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { VERSION } from "../../src/version";
import { runUpdate } from "./update-run";

/** RAM of a node that fetches an image, on XS. */
const FETCH_BYTES = 23 * 1024;

const accepted = { command: "update", id: 1, ok: true, state: "accepted" };
const failed = (error: string) => ({ command: "update", id: 1, ok: false, error, state: "failed" });

for (const engine of ["xs", "node"] as const) {
	test(`engine ${engine}: a node that sleeps runs the image that it was told of, within its RAM`, async (t) => {
		const found = await runUpdate(engine);
		assert.deepEqual(found.phases, ["fetching", "activated", "confirmed"]);
		assert.deepEqual(found.answers, [
			accepted,
			{ command: "update", id: 1, ok: true, state: "running", version: VERSION },
		]);
		assert.equal(found.crashes, 0);
		t.diagnostic(`${found.bytes} bytes of RAM at most while it fetches`);
		assert.ok(found.bytes <= FETCH_BYTES, `${found.bytes} bytes`);
		assert.equal(found.isLate, false);
		assert.ok(found.acknowledged > 20);
	});

	test(`engine ${engine}: an image that crashes is returned from by the bootloader`, async () => {
		const found = await runUpdate(engine, "image-crash:1h@1s");
		assert.deepEqual(found.phases, ["fetching", "activated", "failed"]);
		assert.deepEqual(found.answers, [
			accepted,
			failed("returned to the image before: the new one was reset before it could report"),
		]);
		assert.equal(found.crashes, 1);
		assert.ok(found.acknowledged > 20);
	});

	test(`engine ${engine}: an image that cannot report returns by itself`, async () => {
		const found = await runUpdate(engine, "image-mute:1h@1s");
		assert.deepEqual(found.phases, ["fetching", "activated", "returned", "failed"]);
		assert.deepEqual(found.answers, [
			accepted,
			failed("returned to the image before: no report within 2 wakes"),
		]);
		assert.equal(found.crashes, 0);
		assert.ok(found.acknowledged > 20);
	});
}
