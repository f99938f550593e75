import { randomBytes } from "node:crypto";
import { nodeResolve } from "../../sim/service/node-resolve";
import { NodeTCP } from "../../sim/service/node-tcp";
import { nodeTime, nodeTimer } from "../../sim/service/node-timer";
import { nodeTLS } from "../../sim/service/node-tls";
import { Client, type ClientError, type ClientHandler, subscription } from "../../src/client/client";
import { deviceWithTransport } from "../../src/client/transport-device";
import type { BrokerSettings } from "../../src/config/types";
import {
	NO_MATCHING_SUBSCRIBERS,
	QOS1,
	type ReasonCode,
	reasonName,
	UNSPECIFIED_ERROR,
} from "../../src/mqtt/constants";
import type { Packet } from "../../src/mqtt/packet";
import { utf8 } from "../../src/mqtt/utf8";
import WebSocket from "../../src/websocket/client/socket";
import { Failure } from "../failure";
import { readAnswer } from "./board-summary";
import type { CommandTopics } from "./command-topics";
import type { Counts } from "./comparison";

/** Bytes of the largest packet in either direction. */
const PACKET_SIZE = 4096;
/** Pause, in ms, before a connection that was lost is made again. */
const RECONNECT_MS = 1000;
const TIMEOUT_MS = 10_000;
const KEEP_ALIVE_S = 30;

export interface SummaryRequestOptions {
	/** How the broker is reached, and the user's name and password there. */
	readonly broker: BrokerSettings;
	/** That files of certificates are relative to. */
	readonly directory: string;
	readonly topics: CommandTopics;
	/** The broker has the command. */
	readonly onSent: () => void;
	/** The connection was lost, and is made again. */
	readonly onLost: (reason: string) => void;
}

/** Asks a node for its summary, over MQTT. */
export class SummaryRequest implements ClientHandler {
	readonly #options: SummaryRequestOptions;
	readonly #client: Client;
	/** Resolves with what the node has answered; rejects with a Failure. */
	readonly result: Promise<Counts>;
	#resolve!: (counts: Counts) => void;
	#reject!: (error: Error) => void;
	/** Ids of the commands that were sent. */
	readonly #ids = new Set<string>();
	readonly #command: { payload?: Uint8Array } = {};
	#isSent = false;
	#isOver = false;
	#reconnect: NodeJS.Timeout | undefined;
	#payload = "";

	/** @throws Failure if the broker cannot be reached as its URL asks */
	constructor(options: SummaryRequestOptions) {
		this.#options = options;
		const { broker, directory } = options;
		const { host, port, version, username, password, transport, path, tls } = broker;
		this.result = new Promise((resolve, reject) => {
			this.#resolve = resolve;
			this.#reject = reject;
		});
		const NodeTLS = nodeTLS(directory);
		const device = {
			tcp: { io: NodeTCP },
			timer: nodeTimer,
			time: nodeTime,
			resolve: nodeResolve,
			transport: (layer: "tls" | "websocket") => (layer === "tls" ? NodeTLS : WebSocket),
		};
		try {
			this.#client = new Client(
				{
					...{
						host,
						port,
						version,
						keepAlive: KEEP_ALIVE_S,
						pipeline: false,
						cleanStart: true,
						sessionExpiry: 0,
					},
					clientId: `firefly-monitor-${randomBytes(4).toString("hex")}`,
					...(username === undefined ? {} : { username }),
					...(password === undefined ? {} : { password }),
					...{ connectTimeout: TIMEOUT_MS, acknowledgeTimeout: TIMEOUT_MS, pingTimeout: TIMEOUT_MS },
					...{ sendBuffer: PACKET_SIZE, receiveBuffer: PACKET_SIZE, inFlight: 2 },
				},
				this,
				deviceWithTransport(device, {
					...(transport === undefined ? {} : { transport }),
					...(path === undefined ? {} : { path }),
					...(tls === undefined ? {} : { tls }),
				}),
			);
		} catch (error) {
			throw new Failure(error instanceof Error ? error.message : String(error));
		}
		this.#client.open();
	}

	/** Ends the connection; the result is not told any more. */
	close(): void {
		this.#isOver = true;
		clearTimeout(this.#reconnect);
		if (this.#client.state !== "closed") this.#client.close();
	}

	/** For the client. */
	onOpen(): void {
		this.#client.subscribe([subscription(this.#options.topics.answer, { qos: 1 })]);
	}

	/** For the client. */
	onSubscribed(packet: Packet): void {
		if (packet.nextReason() && packet.reasonCode < UNSPECIFIED_ERROR) {
			// An answer to the last one may have been missed with its connection.
			const id = randomBytes(6).toString("hex");
			this.#ids.add(id);
			this.#command.payload = utf8(JSON.stringify({ command: "summary", id }));
			this.#publish();
		} else this.#fail(`the broker refuses ${this.#options.topics.answer}: ${reasonName(packet.reasonCode)}`);
	}

	/** For the client. */
	onWritable(): void {
		this.#publish();
	}

	#publish(): void {
		const { payload } = this.#command;
		if (payload === undefined) return;
		const topic = utf8(this.#options.topics.topic);
		if (this.#client.publish(topic, payload, payload.length, QOS1) > 0) delete this.#command.payload;
	}

	/** For the client. */
	onAcknowledged(_packetId: number, reasonCode: ReasonCode): void {
		const { topic } = this.#options.topics;
		if (reasonCode >= UNSPECIFIED_ERROR)
			this.#fail(`the broker does not take a command on ${topic}: ${reasonName(reasonCode)}`);
		else if (reasonCode === NO_MATCHING_SUBSCRIBERS)
			this.#fail(
				`no node listens at ${topic}: it has not connected to this broker since it takes commands, or its session has ended`,
			);
		else if (!this.#isSent) {
			this.#isSent = true;
			this.#options.onSent();
		}
	}

	/** For the client. */
	onMessage(): void {
		this.#payload = "";
	}

	/** For the client. */
	onPayload(bytes: Uint8Array, start: number, end: number, last: boolean): void {
		this.#payload += Buffer.from(bytes.subarray(start, end)).toString();
		if (!last) return;
		const answer = readAnswer(this.#payload);
		if (answer === undefined || !this.#ids.has(String(answer.id))) return;
		if (answer.counts !== undefined) this.#resolve(answer.counts);
		else if (answer.problem !== undefined) this.#fail(`the node refuses the command: ${answer.problem}`);
	}

	/** For the client. */
	onClosed(error: ClientError | undefined): void {
		if (this.#isOver) return;
		const reason = error?.message ?? "the connection has ended";
		if (this.#isSent) {
			this.#options.onLost(reason);
			this.#reconnect = setTimeout(() => this.#client.open(), RECONNECT_MS);
		} else this.#fail(reason);
	}

	#fail(message: string): void {
		this.#reject(new Failure(message));
	}
}
