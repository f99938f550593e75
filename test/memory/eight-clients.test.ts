import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { SLOT_SIZE } from "../../cli/config/memory";
import type { ChipStatistics } from "../../sim/engine/engine";
import { Simulation } from "../../sim/simulation";
import { HostilePeer } from "./hostile-peer";
import { peakOf } from "./worst-traffic";

const firmware = fileURLToPath(new URL("../../firmware/manifest.json", import.meta.url));
const ADDRESS = "192.168.4.2";
const CLIENTS = 8;
/** Clients of this test: the simulator observes each broker with one of its own. */
const OWN = CLIENTS - 1;
const PACKET = 512;

interface Use {
	/** What is reachable when all clients are connected and messages go to and fro. */
	readonly live: ChipStatistics;
	/** The most that was in use since the start, with what was not yet collected. */
	readonly peak: ChipStatistics;
}

/**
 * Runs the firmware as a broker with default pools: eight clients, each with a subscription, exchange
 * messages in packets of the largest size, with QoS 1, whose values are retained. With the port for the page,
 * one more loads it.
 */
async function measure(listen: object): Promise<Use> {
	const simulation = await Simulation.build({
		manifest: {
			path: firmware.replace("firmware/", ""),
			json: { include: [firmware], config: { firefly: { role: "broker", listen } } },
			overrides: {},
		},
		speed: "max",
		seed: 1,
		engine: "xs",
		listener: { event: (event) => assert.notEqual(event.type, "crash") },
	});
	const { scheduler, network } = simulation;
	const [board] = simulation.boards;
	const clients: HostilePeer[] = [];
	let received = 0;
	for (let i = 0; i < OWN; i++)
		scheduler.after(1000 + 100 * i, () => {
			const client = new HostilePeer(network.host(`10.0.0.${i + 1}`), ADDRESS, 1883);
			clients.push(client);
			client.connect(`client-${i}`, { clean: false, properties: { sessionExpiryInterval: 3600 } });
			client.send({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: "home/#", qos: 1 }] });
		});
	if ("webSocket" in listen)
		scheduler.after(3000, () => {
			const browser = new HostilePeer(network.host("10.0.1.1"), ADDRESS, 8080);
			browser.sendRaw(Buffer.from(`GET / HTTP/1.1\r\nHost: ${ADDRESS}\r\n\r\n`));
			scheduler.after(2000, () => browser.close());
		});
	for (let n = 0; n < 10 * OWN; n++)
		scheduler.after(10_000 + 100 * n, () => {
			const topic = `home/${n % 4}`;
			clients[n % OWN]!.send({
				cmd: "publish",
				topic,
				// fixed header 3, topic and its length, identifier 2, properties 1
				payload: Buffer.alloc(PACKET - 3 - topic.length - 2 - 2 - 1, 0x61),
				qos: 1,
				messageId: 2 + n,
				retain: true,
			});
		});
	let live: ChipStatistics | undefined;
	let peak: ChipStatistics | undefined;
	scheduler.after(30_000, () => {
		peak = board!.statistics();
		live = board!.statistics(true);
		for (const client of clients) {
			assert.ok(!client.closed);
			received += client.packets.filter(({ cmd }) => cmd === "publish").length;
		}
		simulation.stop();
	});
	await simulation.run(undefined);
	simulation.dispose();
	assert.equal(received, 10 * OWN * OWN);
	return { live: live!, peak: peak! };
}

const page = { webSocket: 8080 };
const persistence = { persist: true, persistInterval: "1s" };

/**
 * Bytes that are reachable at most, with slots of a chip. docs/footprint.md has what XS takes where it is
 * compiled for 32 bits, up to 1,400 bytes less.
 */
const CASES: readonly (readonly [name: string, listen: object, limit: number])[] = [
	["nothing else", {}, 40_500],
	["the page", page, 46_700],
	["persistence", persistence, 43_950],
	["page and persistence", { ...page, ...persistence }, 50_200],
];

describe(`a broker with default pools and ${CLIENTS} clients stays within its memory`, () => {
	for (const [name, listen, limit] of CASES)
		test(`with ${name}`, async (t) => {
			const { live, peak } = await measure({ anonymous: true, ...listen });
			const liveBytes = live.slots * SLOT_SIZE + live.chunks;
			t.diagnostic(`${live.slots} slots, ${live.chunks} chunk bytes: ${liveBytes}`);
			t.diagnostic(
				`at the peak ${peak.slotsPeak} slots, ${peak.chunksPeak} chunk bytes: ${peakOf(peak)}; stack of ${peak.stackPeak} slots`,
			);
			assert.ok(liveBytes <= limit, `${liveBytes} bytes`);
		});
});
