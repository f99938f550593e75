import { Client, type ClientDevice } from "../../../src/client/client";
import { PublishQueue } from "../../../src/client/queue/publish-queue";
import { utf8 } from "../../../src/mqtt/utf8";
import { loopDevice } from "./loop-device";

// Runs inside XS: a client with a queue, and a broker that acknowledges; none of them allocates.

export default function main(keep: (run: (count: number) => void) => void): void {
	runQueueLoop(loopDevice(), keep);
}

/** @param keep gets the function that runs a number of rounds */
export function runQueueLoop(
	{ turn, device }: { turn: () => void; device: ClientDevice },
	keep: (run: (count: number) => void) => void,
): void {
	const client = new Client(
		{
			host: "10.0.0.1",
			port: 1883,
			version: 4,
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
		},
		{
			onOpen: (sessionPresent) => queue.onOpen(sessionPresent),
			onWritable: () => queue.onWritable(),
			onAcknowledged: (packetId, reasonCode, tag) => queue.onAcknowledged(packetId, reasonCode, tag),
			onReceived: (packetId) => queue.onReceived(packetId),
			onClosed: () => queue.onClosed(),
		},
		device,
	);
	const queue = new PublishQueue({ messages: 6, bytes: 256, policy: "reject" }, client, {});
	const topic = utf8("home/greenhouse/temperature");
	const payload = utf8("23.5");
	let flushed = 0;
	const onFlushed = (): void => {
		flushed++;
	};
	client.open();
	// TCP, an answer to the request of a WebSocket, CONNACK
	turn();
	turn();
	turn();
	keep((count) => {
		const before = flushed;
		for (let i = 0; i < count; i++) {
			for (let flags = 0; flags <= 4; flags += 2)
				if (queue.publish(topic, payload, payload.length, flags) < 0) throw new Error("full");
			queue.cancel(queue.publish(topic, payload, payload.length, 2));
			queue.flush(onFlushed);
			while (queue.count > 0) turn();
		}
		if (flushed !== before + count) throw new Error("not flushed");
	});
}
