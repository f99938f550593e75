import assert from "node:assert/strict";
import { World } from "./world";

const lasting = { clean: false, properties: { sessionExpiryInterval: 20, topicAliasMaximum: 3, receiveMaximum: 3 } };

/** A conversation that uses what the protocol has, packet by packet. */
function conversation(world: World, version: 4 | 5): Uint8Array[] {
	const peer = world.peer(version);
	const five = version === 5;
	const properties = (more: Record<string, unknown>) => (five ? { properties: more } : {});
	const will = { topic: "fuzz/will", payload: Buffer.from("gone"), qos: 2, retain: true, ...properties({ willDelayInterval: 3, contentType: "t" }) };
	const connect = { cmd: "connect", protocolId: "MQTT", protocolVersion: version, clientId: "fuzz", keepalive: 10, will, ...lasting };
	const subscriptions = [
		{ topic: "fuzz/#", qos: 2 },
		{ topic: five ? "$share/g/fuzz/+" : "fuzz/+", qos: 1 },
		{ topic: "$SYS/#", qos: 1 },
	];
	const publish = { cmd: "publish", topic: "fuzz/a", payload: "12345", retain: true, dup: false };
	const packets = [
		five ? connect : { ...connect, properties: undefined },
		{ cmd: "subscribe", messageId: 1, subscriptions, ...properties({ subscriptionIdentifier: 5 }) },
		{ ...publish, qos: 0, ...properties({ messageExpiryInterval: 9, topicAlias: 1, userProperties: { k: "v" } }) },
		{ ...publish, qos: 1, messageId: 2, ...properties({ topicAlias: 2, responseTopic: "r", correlationData: Buffer.from("c") }) },
		{ ...publish, topic: "fuzz/b/c", qos: 2, messageId: 3 },
		{ cmd: "puback", messageId: 1 },
		{ cmd: "pubrec", messageId: 2 },
		{ cmd: "pubcomp", messageId: 2 },
		{ cmd: "pubrel", messageId: 3 },
		{ cmd: "pingreq" },
		{ cmd: "unsubscribe", messageId: 4, unsubscriptions: ["fuzz/#"] },
		{ cmd: "disconnect", ...(five ? { reasonCode: 4, properties: { sessionExpiryInterval: 5 } } : {}) },
	];
	const bytes = packets.map((packet) => peer.encode(packet));
	peer.drop();
	return bytes;
}

/**
 * Sends that many mutated packets through a whole broker, and fails unless a client that does not take part gets its message after each conversation, and all
 * pools are empty at the end. @returns how many were sent
 */
export function fuzz(packets: number, seed: number): number {
	let state = seed >>> 0 || 1;
	const random = (below: number) => {
		state ^= state << 13;
		state ^= state >>> 17;
		state ^= state << 5;
		return (state >>> 0) % below;
	};
	const world = new World({ retainedTopics: 8, retainedBytes: 512, aliasBytes: 1024, connectTimeout: 1000, sessionExpiryLimit: 20 });
	const conversations = [conversation(world, 4), conversation(world, 5)];
	const other = world.client("other", 5, { keepalive: 0xffff });
	other.subscribe("$share/watch/other/+");
	let sent = 0;
	while (sent < packets) {
		const which = random(2);
		const peer = world.peer(which === 0 ? 4 : 5);
		peer.socket.frozen = true; // what comes back is not for a strict parser
		for (const packet of conversations[which]) {
			if (peer.socket.ended) break;
			const bytes = packet.slice();
			if (random(4) !== 0)
				for (let n = random(3); n > 0; n--) bytes[random(bytes.length)] = random(3) === 0 ? random(256) : bytes[random(bytes.length)];
			if (random(8) === 0) continue;
			peer.sendRaw(random(20) === 0 ? bytes.subarray(0, random(bytes.length)) : bytes);
			sent++;
		}
		if (random(3) !== 0) peer.drop();
		world.host.advance(random(4000));
		if (sent % 7 === 0) {
			other.send({ cmd: "pingreq" });
			other.packets.length = 0;
		}
		other.publish("other/x", "!");
		assert.deepEqual(other.messages(), ["other/x=!"]);
	}
	// longer than one and a half times the longest keepalive that a mutated CONNECT can name
	for (let i = 0; i < 400; i++) {
		world.host.advance(250_000);
		other.send({ cmd: "pingreq" });
	}
	world.host.advance(1000);
	const { usage, counters } = world.broker;
	assert.deepEqual(world.host.traces, []);
	assert.equal(counters.internal, 0);
	assert.equal(usage.sockets, 1);
	assert.equal(usage.queued, 0);
	assert.equal(usage.queuedBytes, 0);
	return sent;
}
