import assert from "node:assert/strict";
import { test } from "node:test";
import { routingOnXS } from "./support/xs-routing";

/** A topic of 25 bytes and three levels. */
const TOPIC = "greenhouse/node-7/climate";
const MESSAGES = 50;

/**
 * Most computrons of one message, from the socket's callback for its PUBLISH to the last acknowledgement, on
 * XS 13.3, whose debug build counts one more for each line.
 */
const LIMITS: readonly Row[] = [
	// QoS, bytes of the payload, retained, subscribers
	[0, 5, false, 1, 5480],
	[1, 5, false, 1, 8410],
	[1, 5, true, 1, 8680],
	[2, 5, false, 1, 12_550],
	[1, 5, true, 0, 4430],
	[1, 470, false, 1, 10_720],
	[0, 5, false, 7, 12_510],
	[1, 5, false, 7, 32_300],
	[2, 5, false, 7, 48_100],
];

type Row = readonly [qos: 0 | 1 | 2, payload: number, retain: boolean, subscribers: number, limit: number];

for (const [qos, payload, retain, subscribers, limit] of LIMITS)
	test(`on XS, QoS ${qos}, ${payload} bytes, ${retain ? "retained, " : ""}to ${subscribers}: at most ${limit} computrons`, async (t) => {
		const routing = await routingOnXS();
		const publisher = routing.connect(5);
		const peers = [];
		for (let i = 0; i < subscribers; i++) {
			// Every other one with MQTT 3.1.1, two with persistent sessions: what they are sent differs
			const peer = routing.connect(i & 1 ? 4 : 5, i === 2 || i === 3);
			routing.subscribe(peer, i & 1 ? "greenhouse/+/climate" : "greenhouse/#", 2);
			peers.push(peer);
		}
		const bytes = routing.publish(publisher, qos, retain, TOPIC, payload);
		const send = (): void => {
			for (let i = 0; i < MESSAGES; i++) routing.deliver(publisher, bytes);
		};
		send();
		const packets = peers.map((peer) => peer.packets);
		const { computrons, allocated } = routing;
		send();
		const each = (routing.computrons - computrons) / MESSAGES;
		t.diagnostic(`${each} computrons`);
		assert.equal(routing.allocated, allocated);
		// with QoS 2 PUBLISH and PUBREL
		for (const [i, peer] of peers.entries())
			assert.equal(peer.packets - packets[i], MESSAGES * (qos === 2 ? 2 : 1));
		assert.ok(each <= limit, `${each}`);
		routing.destroy();
	});
