import { Client, type ClientHandler, type ClientOptions } from "../../../src/client/client";
import { PublishQueue } from "../../../src/client/queue/publish-queue";
import { featureDevice } from "./feature-device";

// Runs inside XS: makes a client, or what may be added to it, and keeps it.

const options: ClientOptions = {
	host: "10.0.0.1",
	port: 1883,
	version: 5,
	keepAlive: 60,
	pipeline: false,
	clientId: "cost",
	cleanStart: true,
	sessionExpiry: 0,
	connectTimeout: 5000,
	acknowledgeTimeout: 5000,
	pingTimeout: 2000,
	sendBuffer: 512,
	receiveBuffer: 512,
	inFlight: 8,
};
const aliases: ClientOptions = { ...options, topicAliases: 4 };
const queue = { messages: 16, bytes: 1024, policy: "reject" } as const;
const properties = { ...queue, properties: 64 };
const handler: ClientHandler = { onOpen() {}, onWritable() {}, onAcknowledged() {}, onClosed() {} };

export default function main(keep: (make: (what: number) => void) => void): void {
	const { device } = featureDevice();
	const kept: object[] = [options, options, options, options, options];
	const client = new Client(options, handler, device);
	keep((what) => {
		if (what === 1) kept[what] = new Client(options, handler, device);
		else if (what === 2) kept[what] = new Client(aliases, handler, device);
		else if (what === 3) kept[what] = new PublishQueue(queue, client, {});
		else if (what === 4) kept[what] = new PublishQueue(properties, client, {});
	});
}
