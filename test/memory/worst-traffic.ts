import { fileURLToPath } from "node:url";
import { SLOT_SIZE } from "../../cli/config/memory";
import type { ChipStatistics } from "../../sim/engine/engine";
import { Simulation } from "../../sim/simulation";
import { readSettings } from "../../src/config/settings";
import { hashOf } from "../access/password-hash";
import { HostilePeer } from "./hostile-peer";

const firmware = fileURLToPath(new URL("../../firmware/manifest.json", import.meta.url));
const ADDRESS = "192.168.4.2";
const SECOND = 1000;
export const PASSWORD = "correct";
export const HASH = hashOf(PASSWORD);

export interface Outcome {
	/** What went wrong: crashes and messages of the broker. */
	readonly failures: string[];
	/** Whether a client that behaves well is served at the end. */
	readonly served: boolean;
	/** When the peak was reached. */
	readonly memory: ChipStatistics;
}

/** Peak of the memory in use, bytes of an ESP32's arena. */
export function peakOf({ slotsPeak, chunksPeak }: ChipStatistics): number {
	return slotsPeak * SLOT_SIZE + chunksPeak;
}

/**
 * Runs the firmware on XS in the arena of a device against the traffic that takes most memory: all places and
 * sessions taken, each pool full, packets of the largest size, whole, in fragments and cut off, clients that
 * do not read, requests of the page, and strangers from ever new addresses who guess passwords. With
 * persistence, the device then loses its power and restores everything.
 * @param firefly configuration with the role `broker` or `both`
 * @param arena bytes, instead of `creation.static` of the firmware
 */
export async function runWorstTraffic(firefly: object, arena?: number): Promise<Outcome> {
	const failures: string[] = [];
	const json = {
		include: [firmware],
		config: { firefly },
		...(arena === undefined ? {} : { creation: { static: arena } }),
	};
	const simulation = await Simulation.build({
		manifest: { path: firmware.replace("firmware/", ""), json, overrides: {} },
		speed: "max",
		seed: 1,
		engine: "xs",
		listener: {
			event: (event) => {
				if (event.type === "crash") {
					failures.push(`${event.kind}: ${event.message}`);
					simulation.stop();
				} else if (
					event.type === "trace" &&
					/^broker: /.test(event.message) &&
					!/is not stored/.test(event.message)
				)
					failures.push(event.message);
			},
		},
	});
	const { scheduler, network } = simulation;
	const board = simulation.boards[0]!;
	const { listen } = readSettings({ firefly }, { mac: "0".repeat(12), chip: "esp32" }, () => {});
	const user = listen.users[0]?.name;
	const credentials = user === undefined ? {} : { username: user, password: Buffer.from(PASSWORD) };
	let hosts = 0;
	const stranger = () => network.host(`10.0.${hosts >> 8}.${hosts++ & 0xff}`);
	const peer = (web = false, reads = true) =>
		new HostilePeer(stranger(), ADDRESS, web ? listen.webSocket! : listen.port, web, reads);
	const at = (ms: number, action: () => void) => void scheduler.after(ms, action);
	const { packetSize, connections, sessions } = listen;
	const largest = (used: number) => Buffer.alloc(Math.max(0, packetSize - used), 0x61);
	const longId = (index: number) => `client-${index}-`.padEnd(Math.min(23, 7 + packetSize / 8), "x");
	const persistent = {
		clean: true,
		properties: { sessionExpiryInterval: 0xffffffff, topicAliasMaximum: 16 },
	};
	const willOf = (index: number) => ({
		topic: `will/${index}`,
		qos: 1,
		retain: true,
		payload: Buffer.alloc(
			Math.max(1, Math.min(packetSize - 160, Math.floor(listen.sessionBytes / sessions) - 40)),
		),
	});
	const levelLength = Math.max(1, Math.floor(listen.filterBytes / listen.filterLevels));
	const filters = (index: number) =>
		Array.from({ length: 8 }, (_, i) => ({
			topic: `${`${index}.${i}`.padEnd(levelLength, "f")}/#`.slice(0, packetSize >> 3),
			qos: 2,
		}));

	// Sessions of clients that are away, with all that may wait for them
	let begin = 8 * SECOND;
	for (let i = 0; i < sessions; i++) {
		at(begin + 200 * i, () => {
			const client = peer();
			client.connect(`${longId(i)}`, { ...credentials, ...persistent, will: willOf(i) });
			client.send({
				cmd: "subscribe",
				messageId: 1,
				subscriptions: [{ topic: "#", qos: 2 }],
			});
			for (let j = 0; j < 4; j++)
				client.send({
					cmd: "subscribe",
					messageId: 2 + j,
					subscriptions: filters(4 * i + j).slice(2 * j, 2 * j + 2),
				});
			at(150, () => client.close());
		});
	}
	begin += 200 * sessions + SECOND;
	// All places taken, over WebSocket as far as possible, half of them by clients that do not read
	const clients: HostilePeer[] = [];
	for (let i = 0; i < connections; i++) {
		at(begin + 100 * i, () => {
			const web = listen.webSocket !== undefined && i < listen.webSockets;
			const client = peer(web, i % 2 === 0);
			clients.push(client);
			client.connect(longId(i), { ...credentials, ...persistent, clean: false, will: willOf(i) });
			client.send({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: "#", qos: 2 }] });
			client.send({ cmd: "subscribe", messageId: 2, subscriptions: [{ topic: "$SYS/#", qos: 1 }] });
		});
	}
	begin += 100 * connections + SECOND;
	// Retained values, then messages of the largest size
	const valueSize = Math.max(
		1,
		Math.min(packetSize - 64, Math.floor(listen.retainedBytes / Math.max(1, listen.retainedTopics)) - 16),
	);
	for (let i = 0; i < listen.retainedTopics + 4; i++)
		at(begin + 20 * i, () =>
			clients[i % connections]!.send({
				cmd: "publish",
				topic: `v/${i}`,
				payload: Buffer.alloc(valueSize),
				qos: 1,
				messageId: 10 + i,
				retain: true,
			}),
		);
	begin += 20 * listen.retainedTopics + SECOND;
	for (let i = 0; i < 20 * connections; i++)
		at(begin + 25 * i, () => {
			const client = clients[i % connections]!;
			if (client.closed) return;
			client.send(
				{
					cmd: "publish",
					topic: `m/${i % 7}`,
					payload: i % 3 === 0 ? largest(24) : Buffer.alloc(8),
					qos: (i % 3) as 0 | 1 | 2,
					messageId: 1000 + i,
					properties: { topicAlias: undefined, messageExpiryInterval: 1000 },
				},
				1 + (i % 3),
			);
		});
	begin += 25 * 20 * connections;
	// Strangers with wrong passwords, requests of the page, cut packets, while the clients go on
	const storm = 160;
	for (let i = 0; i < storm; i++)
		at(begin + 250 * i, () => {
			const web = listen.webSocket !== undefined && i % 2 === 1;
			const intruder = peer(web && i % 8 !== 7, i % 5 !== 0);
			const wrong = {
				username: i % 3 === 0 ? "u".repeat(Math.min(64, packetSize >> 2)) : (user ?? "nobody"),
				password: Buffer.alloc(Math.min(packetSize >> 1, 256), 0x62),
			};
			if (web && i % 8 === 7) {
				const page = new HostilePeer(stranger(), ADDRESS, listen.webSocket!, false);
				const login = Buffer.from(`${user}:wrong${i}`).toString("base64");
				page.sendRaw(
					Buffer.from(
						`GET / HTTP/1.1\r\nHost: ${ADDRESS}\r\nX: ${"y".repeat(200)}\r\n${i % 16 === 7 ? `Authorization: Basic ${login}\r\n` : ""}\r\n`,
					),
				);
				at(4000, () => page.close());
			} else if (i % 7 === 3)
				intruder.sendPart(
					{
						cmd: "connect",
						protocolId: "MQTT",
						protocolVersion: 5,
						clean: true,
						clientId: longId(i),
						keepalive: 9,
						...wrong,
					},
					0.8,
				);
			else intruder.connect(longId(100 + i), i % 4 === 0 ? { ...credentials, ...persistent } : wrong);
			if (i % 9 !== 4) at(3000, () => intruder.close());
			const client = clients[i % connections]!;
			if (!client.closed)
				client.send(
					{
						cmd: "publish",
						topic: `s/${i % 5}`,
						payload: largest(24),
						qos: 1,
						messageId: 5000 + i,
						retain: i % 2 === 0,
					},
					2,
				);
			if (i % 20 === 19 && !client.closed)
				client.sendPart({ cmd: "publish", topic: "p", payload: largest(16), qos: 0 }, 0.9);
		});
	begin += 250 * storm + SECOND;
	// The hostile ones go; somebody who behaves is served.
	at(begin, () => {
		for (const client of clients) client.close();
	});
	let memory: ChipStatistics | undefined;
	const sample = () => {
		const now = board.statistics();
		if (now !== undefined && (memory === undefined || peakOf(now) >= peakOf(memory))) memory = now;
		at(100, sample);
	};
	at(SECOND, sample);
	// What was stored is restored, with all that waits.
	if (listen.persist) at(begin + 20 * SECOND, () => board.powerOn("brown-out"));
	let served = false;
	const attempt = (attemptsLeft: number) => {
		const client = peer();
		client.connect(longId(1), { ...credentials, clean: false });
		at(30 * SECOND, () => {
			served = client.packets.some((packet) => packet.cmd === "connack" && packet.reasonCode === 0);
			client.close();
			if (served || attemptsLeft === 0) simulation.stop();
			else attempt(attemptsLeft - 1);
		});
	};
	at(begin + 30 * SECOND, () => attempt(20));
	await simulation.run(undefined);
	simulation.dispose();
	return { failures, served, memory: memory! };
}
