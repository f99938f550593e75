import { Client, type ClientHandler, type ClientOptions, subscription } from "../../../src/client/client";
import { PublishQueue } from "../../../src/client/queue/publish-queue";
import { PropertyWriter } from "../../../src/mqtt/property-writer";
import { utf8 } from "../../../src/mqtt/utf8";
import { featureDevice } from "./feature-device";

// Runs inside XS: what a client does in a steady state, each kind of it alone, with the least that it needs.

const topic = utf8("home/greenhouse/temperature");
const payload = utf8("23.5");
const large = new Uint8Array(1000).fill(65);

const options: ClientOptions = {
	host: "10.0.0.1",
	port: 1883,
	version: 5,
	keepAlive: 60,
	pipeline: false,
	clientId: "loop",
	cleanStart: true,
	sessionExpiry: 0,
	connectTimeout: 5000,
	acknowledgeTimeout: 5000,
	pingTimeout: 2000,
	sendBuffer: 256,
	receiveBuffer: 128,
	inFlight: 4,
};

/** PUBLISH of the broker on topic "t". @param length bytes of the payload, 0 … 16,000 */
function publish(qos: number, id: number, length: number): Uint8Array {
	const remaining = 3 + (qos > 0 ? 2 : 0) + 1 + length;
	const header = remaining < 128 ? [remaining] : [(remaining & 127) | 128, remaining >> 7];
	const bytes = new Uint8Array(1 + header.length + remaining).fill(66);
	bytes.set([0x30 | (qos << 1), ...header, 0, 1, 116, ...(qos > 0 ? [id >> 8, id & 255] : []), 0]);
	return bytes;
}

/** @param keep gets the loop @param feature which one */
export default function main(keep: (run: (count: number) => void) => void, feature: string): void {
	const { device, turn, tick, deliver } = featureDevice();
	let count = 0;
	let bytes = 0;
	const expected = { count: 0, bytes: 0 };
	let onWritable = (): void => {};
	let onOpen = (_sessionPresent: boolean): void => {};
	let onPayload = (): void => {};
	let onAcknowledged = (_packetId: number, _reasonCode: number, _tag: number): void => {
		count++;
	};
	const handler: ClientHandler = {
		onOpen: (sessionPresent) => onOpen(sessionPresent),
		onWritable: () => onWritable(),
		onAcknowledged: (packetId, reasonCode, tag) => onAcknowledged(packetId, reasonCode as number, tag),
		onSubscribed: () => void count++,
		onUnsubscribed: () => void count++,
		onReleased: () => void count++,
		onPingresp: () => void count++,
		onPayload(_bytes, start, end, last) {
			bytes += end - start;
			if (last) count++;
			onPayload();
		},
		onClosed(error) {
			throw new Error(`closed: ${error?.message}`);
		},
	};
	const client = new Client(
		feature === "topic aliases" ? { ...options, topicAliases: 4 } : options,
		handler,
		device,
	);
	const loops: Record<string, () => (() => void) | undefined> = {
		"messages of QoS 0, 1 and 2 to the client": () => {
			const messages = [publish(0, 0, 4), publish(1, 1, 4), publish(2, 2, 4), Uint8Array.of(0x62, 2, 0, 2)];
			return () => {
				for (let i = 0; i < messages.length; i++) {
					deliver(messages[i]);
					turn();
				}
				expected.count += 4;
				expected.bytes += 12;
			};
		},
		"a payload larger than the buffers, to the broker": () => () => {
			if (client.beginPublish(topic, large.length, 4) <= 0) throw new Error("not begun");
			let at = 0;
			while (at < large.length) {
				at += client.writePayload(large, at, large.length);
				turn();
			}
			turn();
			turn();
			expected.count++;
		},
		"a payload larger than the buffers, to the client, paused after each piece": () => {
			const messages = [publish(0, 0, 1000), publish(1, 1, 1000)];
			onPayload = () => client.pause();
			return () => {
				for (let i = 0; i < messages.length; i++) {
					const before = count;
					deliver(messages[i]);
					while (count === before) {
						client.resume();
						tick();
					}
					client.resume();
					tick();
				}
				expected.count += 2;
				expected.bytes += 2000;
			};
		},
		"subscribing and unsubscribing": () => {
			const subscriptions = [subscription("home/+/set", { qos: 1 }), subscription("all", { qos: 2 })];
			const filters = subscriptions.map(({ filter }) => filter);
			const one = subscriptions.slice(0, 1);
			const oneFilter = filters.slice(0, 1);
			return () => {
				if (client.subscribe(one) <= 0) throw new Error("not sent");
				turn();
				if (client.unsubscribe(oneFilter) <= 0) throw new Error("not sent");
				turn();
				expected.count += 2;
			};
		},
		ping: () => () => {
			if (client.ping() !== 0) throw new Error("not sent");
			turn();
			expected.count++;
		},
		"a message of QoS 2 to the broker": () => () => {
			if (client.publish(topic, payload, payload.length, 4) <= 0) throw new Error("not sent");
			turn();
			turn();
			expected.count++;
		},
		"topic aliases": () => {
			const topics = [1, 2, 3, 4, 5].map((n) => utf8(`home/greenhouse/${n}`));
			const properties = new PropertyWriter(40).messageExpiryInterval(60).contentType(utf8("text/plain"));
			return () => {
				for (let i = 0; i < topics.length; i++) {
					if (client.publish(topics[i], payload, payload.length, 2, properties) <= 0)
						throw new Error("not sent");
					turn();
				}
				expected.count += topics.length;
			};
		},
		"properties and expiry in the queue": () => {
			const queue = new PublishQueue(
				{ messages: 6, bytes: 512, policy: "reject", properties: 40 },
				client,
				{},
			);
			const properties = new PropertyWriter(40).messageExpiryInterval(3600).contentType(utf8("text/plain"));
			const expired = new PropertyWriter(5).messageExpiryInterval(0);
			onOpen = (sessionPresent) => queue.onOpen(sessionPresent);
			onWritable = () => queue.onWritable();
			onAcknowledged = (packetId, reasonCode, tag) => {
				count++;
				queue.onAcknowledged(packetId, reasonCode as 0, tag);
			};
			return () => {
				if (queue.publish(topic, payload, payload.length, 2, properties) < 0) throw new Error("full");
				queue.publish(topic, payload, payload.length, 2, expired);
				queue.dropExpired();
				while (queue.count > 0) turn();
				if (queue.expired === 0) throw new Error("nothing has expired");
				expected.count++;
			};
		},
	};
	const round = loops[feature]?.();
	if (round === undefined) throw new Error(`no feature ${feature}`);
	client.open();
	turn();
	turn();
	keep((rounds) => {
		for (let i = 0; i < rounds; i++) round();
		if (count !== expected.count || bytes !== expected.bytes)
			throw new Error(`${count} of ${expected.count}, ${bytes} of ${expected.bytes} bytes`);
	});
}
