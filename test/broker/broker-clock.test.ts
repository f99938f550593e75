import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { BrokerHarness } from "./support/broker-harness";

const DAY = 86_400_000;

for (const days of [20, 30, 60, 120])
	test(`nobody comes for ${days} days, in which ticks wrap: the age of a value, and of a waiting message, is right`, () => {
		const harness = new BrokerHarness({ sessionExpiryLimit: 0xffff_ffff });
		const { host } = harness;
		const away = harness.client("away", 5, {
			clean: false,
			properties: { sessionExpiryInterval: 0xffff_ffff },
		});
		away.subscribe("t", { qos: 1 });
		away.drop();
		const client = harness.client("a");
		const messageExpiryInterval = 200 * 86_400;
		client.publish("t", "x", { qos: 1, messageId: 1, retain: true, properties: { messageExpiryInterval } });
		client.drop();
		// The wall clock stands still, so that only the broker's own counts.
		const now = Date.now();
		const clock = mock.method(Date, "now", () => now);
		const before = harness.values().get("t")![1];
		host.advance(days * DAY);
		const passed = before - harness.values().get("t")![1];
		clock.mock.restore();
		assert.equal(passed, days * DAY);
		const back = harness.client("away", 5, {
			clean: false,
			properties: { sessionExpiryInterval: 0xffff_ffff },
		});
		const [message] = back.publishes();
		assert.equal(message.properties?.messageExpiryInterval, messageExpiryInterval - days * 86_400);
	});

test("nobody ever comes: one timer runs, which keeps the clock", () => {
	const harness = new BrokerHarness();
	harness.host.advance(100 * DAY);
	assert.equal(harness.host.timers, 1);
	harness.broker.stop();
	assert.equal(harness.host.timers, 0);
});
