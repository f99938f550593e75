import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { BrokerHarness } from "./support/broker-harness";
import { PowerCutStorage } from "./support/power-cut-storage";

const PERSIST_INTERVAL_MS = 60_000;
const persistent = { clean: false, keepalive: 0, properties: { sessionExpiryInterval: 1000 } };
/** Key of DirectoryStorage that says that records are missing. */
const DAMAGED = "damaged";

/** Storage of a broker with values, a session and queued messages, committed in several transactions. */
function storedState(): PowerCutStorage {
	const storage = new PowerCutStorage();
	const harness = new BrokerHarness({}, storage);
	const away = harness.client("away", 5, persistent);
	away.subscribe("q/#", { qos: 1 });
	away.send({ cmd: "disconnect" });
	const client = harness.client("a");
	for (let i = 0; i < 5; i++) {
		client.publish(`t/${i}`, `value ${i}`, { retain: true });
		client.publish("t/0", `value 0.${i}`, { retain: true });
		client.publish(`q/${i}`, "queued", { qos: 1, messageId: i + 1 });
		harness.host.advance(PERSIST_INTERVAL_MS);
	}
	return storage;
}

function valuesOf(harness: BrokerHarness): Readonly<Record<string, string>> {
	return Object.fromEntries([...harness.values()].map(([topic, [payload]]) => [topic, payload]));
}

describe("storage that has lost records", () => {
	const expected = {
		"t/0": "value 0.4",
		...Object.fromEntries([1, 2, 3, 4].map((i) => [`t/${i}`, `value ${i}`])),
	};

	for (const lost of [["ca"], ["cb"], ["ca", "cb"]])
		test(`commit records ${lost.join(" and ")}: everything else is restored, and stored for good`, () => {
			const { values } = storedState();
			for (const key of lost) values.delete(key);
			values.set(DAMAGED, Uint8Array.of(0));
			const storage = new PowerCutStorage(values);
			const harness = new BrokerHarness({}, storage);
			assert.deepEqual(valuesOf(harness), expected);
			assert.ok(!storage.values.has(DAMAGED));
			const queued = harness.client("away", 5, persistent).publishes();
			assert.equal(queued.length, 5);
			const next = new PowerCutStorage(storage.values);
			assert.deepEqual(valuesOf(new BrokerHarness({}, next)), expected);
		});

	for (const lost of [["ca"], ["cb"], ["ca", "cb"]])
		test(`commit records ${lost.join(" and ")}, after days: nothing lies in the future, and all expires`, () => {
			const storage = new PowerCutStorage();
			const first = new BrokerHarness({}, storage, false);
			first.client("away", 5, persistent).send({ cmd: "disconnect" });
			first.host.advance(10 * 86_400_000);
			first.client("away", 5, persistent).send({ cmd: "disconnect" });
			for (const topic of ["old", "new"]) {
				first.client("a").publish(topic, "1", { retain: true, properties: { messageExpiryInterval: 3600 } });
				first.host.advance(10 * PERSIST_INTERVAL_MS);
			}
			const rest = new Map(storage.values);
			for (const key of lost) rest.delete(key);
			rest.set(DAMAGED, Uint8Array.of(0));
			const harness = new BrokerHarness({}, new PowerCutStorage(rest), false);
			const times = [...harness.values().values()].map(([, time]) => time);
			assert.equal(times[1] - times[0], 10 * PERSIST_INTERVAL_MS);
			const age = Date.now() - times[1];
			assert.ok(age >= 0 && age <= 10 * PERSIST_INTERVAL_MS + 1000, `${age} ms`);
			harness.host.advance(1300_000);
			assert.equal(harness.broker.usage.sessions, 0);
			harness.host.advance(3000_000);
			const late = harness.client("late");
			late.subscribe("#");
			assert.deepEqual(late.messages(), []);
		});

	test("any records: the values of the others are restored, and the broker works", () => {
		const { values } = storedState();
		const keys = [...values.keys()];
		fc.assert(
			fc.property(fc.subarray(keys), (lost) => {
				const rest = new Map([...values].filter(([key]) => !lost.includes(key)));
				rest.set(DAMAGED, Uint8Array.of(0));
				const storage = new PowerCutStorage(rest);
				const harness = new BrokerHarness({}, storage);
				const found = valuesOf(harness);
				const lostValues = lost.filter((key) => key.startsWith("v")).length;
				assert.equal(Object.keys(found).length, 5 - lostValues);
				for (const [topic, payload] of Object.entries(found))
					assert.equal(payload, (expected as Readonly<Record<string, string>>)[topic]);
				const client = harness.client("away", 5, persistent);
				client.publish("t/9", "new", { retain: true });
				harness.host.advance(PERSIST_INTERVAL_MS);
				assert.deepEqual(valuesOf(new BrokerHarness({}, new PowerCutStorage(storage.values))), {
					...found,
					"t/9": "new",
				});
			}),
			{ numRuns: 100 },
		);
	});
});
