/* Publishes a number every few seconds, through a queue that outlives lost connections, and subscribes. */
import TCP from "embedded:io/socket/tcp";
import { backoffDelay, EQUAL_JITTER } from "firefly/backoff";
import { BUSY, Client, subscription } from "firefly/client/client";
import { PublishQueue } from "firefly/client/queue/publish-queue";
import { decodeUTF8, utf8 } from "firefly/mqtt/utf8";
import config from "mc/config";
// biome-ignore lint/style/useNodejsImportProtocol: the SDK's module
import Net from "net";
import Time from "time";
import Timer from "timer";

const PUBLISH_MS = 5000;
const RETRY = { minimum: 1000, maximum: 60_000 };
/** QoS 1, as in the header of PUBLISH. */
const QOS_1 = 2;

/** From this manifest, or from mcconfig's command line: `broker=192.168.1.20`. */
const { broker, port } = /** @type {{ broker: string, port: string }} */ (config);

/** @param {string} message */
const say = (message) => trace(message, "\n");

/** @type {import("firefly/client/options").ClientDevice} */
const device = {
	tcp: { io: TCP },
	timer: Timer,
	time: Time,
	resolve: (host, callback) => Net.resolve(host, (_name, address) => callback(address)),
	trace: say,
};

let failures = 0;
let count = 0;
let receivedTopic = "";
let isSubscribeDue = false;

/** While messages that have waited take all of `inFlight`, the client is busy, and `onWritable` follows. */
function subscribe() {
	if (isSubscribeDue) isSubscribeDue = client.subscribe([subscription("example/#", { qos: 1 })]) === BUSY;
}

const client = new Client(
	{
		host: broker,
		port: Number(port),
		version: 5,
		clientId: "firefly-example",
		keepAlive: 60,
		pipeline: "auto",
		cleanStart: false,
		sessionExpiry: 3600,
		connectTimeout: 10_000,
		acknowledgeTimeout: 10_000,
		pingTimeout: 5000,
		sendBuffer: 512,
		receiveBuffer: 512,
		inFlight: 8,
	},
	{
		onOpen(sessionPresent) {
			failures = 0;
			say(`connected${sessionPresent ? ", session present" : ""}`);
			isSubscribeDue = !client.isSubscribed;
			subscribe();
			queue.onOpen(sessionPresent);
		},
		onWritable() {
			subscribe();
			queue.onWritable();
		},
		onAcknowledged: (packetId, reasonCode, handle) => queue.onAcknowledged(packetId, reasonCode, handle),
		onReceived: (packetId) => queue.onReceived(packetId),
		onMessage(packet) {
			receivedTopic = decodeUTF8(packet.bytes, packet.topicStart, packet.topicEnd);
		},
		// In several pieces, if the message is larger than receiveBuffer.
		onPayload: (bytes, start, end) => say(`received ${receivedTopic} ${decodeUTF8(bytes, start, end)}`),
		onClosed(error) {
			queue.onClosed();
			if (!error) return;
			say(`not connected: ${error.message}`);
			failures++;
			Timer.set(() => client.open(), backoffDelay(RETRY, failures, EQUAL_JITTER));
		},
	},
	device,
);
const queue = new PublishQueue({ messages: 16, bytes: 1024, policy: "dropOldest" }, client, {});
client.open();

const topic = utf8("example/count");
Timer.set(
	() => {
		const payload = utf8(String(++count));
		queue.publish(topic, payload, payload.length, QOS_1);
	},
	PUBLISH_MS,
	PUBLISH_MS,
);
