import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { blobEntries, DEFAULT_NVS, nvsNeeded, storedEntries, yearsOfFlash } from "../../cli/config/flash";
import { readNVSSize } from "../../cli/config/partitions";
import { defaults } from "../../src/config/defaults";
import type { ListenSettings } from "../../src/config/settings";
import type { Storage, StorageModule } from "../../src/device";
import { BrokerHarness } from "../broker/support/broker-harness";

const PERSIST_INTERVAL_MS = 60_000;

/** Key-value storage that counts the entries that NVS would need for what is in it. */
class CountingStorage implements StorageModule {
	peak = 0;
	failures = 0;
	readonly #values = new Map<string, Uint8Array>();
	#entries = 0;

	open(): Storage {
		return {
			read: (key, buffer) => {
				const value = this.#values.get(key);
				if (value === undefined) return undefined;
				buffer.set(value);
				return value.length;
			},
			write: (key, value) => {
				this.#remove(key);
				this.#values.set(key, value.slice());
				this.#entries += blobEntries(value.length);
				this.peak = Math.max(this.peak, this.#entries);
			},
			delete: (key) => this.#remove(key),
			close: () => {},
		};
	}

	#remove(key: string): void {
		const value = this.#values.get(key);
		if (value !== undefined) this.#entries -= blobEntries(value.length);
		this.#values.delete(key);
	}
}

/**
 * Fills every pool, with filters that share their text and so are as long as all of it, and with messages for
 * them; then replaces all of it within one interval.
 */
function fillFlash(settings: ListenSettings): { peak: number; stored: number } {
	const storage = new CountingStorage();
	const harness = new BrokerHarness({ ...settings, persistInterval: PERSIST_INTERVAL_MS }, storage);
	const publisher = harness.client("p");
	const members = settings.sessions - 1;
	const share = `$share/${"s".repeat(Math.min(settings.filterBytes - 24, settings.packetSize - 32))}`;
	const perClient = Math.ceil(settings.subscriptions / members);
	const texts = Math.floor((settings.sessionBytes - 16) / members) - 32;
	for (const round of ["1", "2"]) {
		for (let i = 0; i < members; i++) {
			const client = harness.client(`client ${i}`, 5, {
				clean: false,
				properties: { sessionExpiryInterval: 10_000 * Number(round) },
				will: {
					topic: "w",
					payload: round.repeat(Math.max(1, texts)),
					qos: 1,
					retain: false,
					properties: { willDelayInterval: 5000 },
				},
			});
			for (const { messageId, qos } of client.publishes())
				if (qos === 1) client.send({ cmd: "puback", messageId: messageId! });
			for (let k = 0; k < perClient; k++)
				client.subscribe(`${share}/t/${k}`, { qos: 1, nl: false, rap: round === "2" });
			for (let id = 1; id <= settings.receiveMaximum; id++)
				client.send({
					...(round === "1" ? { cmd: "publish", topic: "x", payload: "y", qos: 2 } : { cmd: "pubrel" }),
					messageId: id,
				});
			client.drop();
		}
		const value = Math.floor(settings.retainedBytes / settings.retainedTopics) - 12;
		for (let i = 0; i < settings.retainedTopics; i++)
			publisher.publish(`v/${i}`, round.repeat(Math.max(1, value)), { qos: 0, retain: true });
		const message = Math.floor(settings.queuedBytes / settings.queuedMessages) - 12;
		for (let i = 0; i < settings.queuedMessages; i++)
			publisher.publish(`t/${i % perClient}`, round.repeat(Math.max(1, message)), {
				qos: 1,
				messageId: 1 + i,
			});
		harness.host.advance(PERSIST_INTERVAL_MS);
	}
	const { storageWrites, storageFailures } = harness.broker.counters;
	assert.equal(storageFailures, 0);
	return { peak: storage.peak, stored: storageWrites };
}

const small: Partial<ListenSettings> = {
	connections: 4,
	sessions: 4,
	sessionBytes: 400,
	subscriptions: 9,
	subscriptionsPerClient: 9,
	filterLevels: 16,
	filterBytes: 120,
	retainedTopics: 6,
	retainedBytes: 600,
	queuedMessages: 9,
	queuedPerClient: 9,
	queuedBytes: 600,
	receiveMaximum: 4,
};

describe("a broker whose pools are full and all change at once stays within what check reckons", () => {
	const cases: Readonly<Record<string, Partial<ListenSettings>>> = {
		"default pools": {},
		"small pools": small,
		"long filters": { ...small, filterBytes: 400, subscriptions: 24, subscriptionsPerClient: 24 },
		"many values": { ...small, retainedTopics: 200, retainedBytes: 12_000 },
		"many messages": { ...small, queuedMessages: 120, queuedPerClient: 60, queuedBytes: 6000 },
		"many sessions": { ...small, sessions: 24, connections: 24, sessionBytes: 3000, subscriptions: 48 },
	};
	for (const [name, pools] of Object.entries(cases))
		test(name, (t) => {
			const settings = { ...defaults.listen, anonymous: true, persist: true, ...pools };
			const { peak, stored } = fillFlash(settings);
			const modelled = storedEntries(settings);
			t.diagnostic(`${peak} entries of ${stored} records, ${modelled} in the model`);
			assert.ok(peak <= modelled, `${peak} entries, ${modelled} in the model`);
			// Shares of the queues, which are the same for each session, leave some of them unused.
			assert.ok(
				peak >= (name === "default pools" ? 0.8 : 0.4) * modelled,
				`only ${peak} entries, ${modelled} in the model`,
			);
		});
});

test("the partition table of the firmware holds the state of the default pools, the SDK's does not", () => {
	const table = fileURLToPath(new URL("../../firmware/esp32/partitions.csv", import.meta.url));
	const nvs = readNVSSize(table);
	assert.equal(nvs, 0x40000);
	assert.ok(nvsNeeded(defaults.listen) <= nvs, `${nvsNeeded(defaults.listen)} bytes`);
	assert.ok(nvsNeeded(defaults.listen) > DEFAULT_NVS);
});

test("one value a minute: the SDK's partition lasts for years; one a second: for weeks", () => {
	const years = (persistInterval: number) =>
		yearsOfFlash({ ...defaults.listen, persistInterval }, DEFAULT_NVS);
	assert.ok(years(60_000) > 7 && years(60_000) < 10, `${years(60_000)}`);
	assert.ok(years(1000) < 0.2, `${years(1000)}`);
	assert.equal(years(0), years(1000));
});
