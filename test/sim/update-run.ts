import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { makeImage } from "../../sim/board/esp-image";
import { parseFault } from "../../sim/faults/fault-text";
import type { VirtualSocket } from "../../sim/network/virtual-socket";
import type { TimedEvent } from "../../sim/report/events";
import { Simulation } from "../../sim/simulation";
import type { UpdatePhase } from "../../src/device-events";
import { VirtualCommander } from "./virtual-commander";

const path = fileURLToPath(new URL("../../manifest.json", import.meta.url));
const HOUR = 3_600_000;
const SERVER = "192.168.1.78";
const IMAGE = makeImage("new", 20_000);

/** A file server on the simulated network. */
function serve(simulation: Simulation): void {
	const listener = simulation.network.host(SERVER).listen(8070, () => {
		const socket = listener.accept() as VirtualSocket;
		const answer = Buffer.concat([
			Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${IMAGE.length}\r\n\r\n`),
			IMAGE,
		]);
		let sent = 0;
		let isRequested = false;
		let room = 0;
		const send = (): void => {
			if (!isRequested || room === 0 || sent === answer.length) return;
			const part = answer.subarray(sent, sent + room);
			sent += part.length;
			room = 0;
			socket.write(new Uint8Array(part));
		};
		socket.handler = {
			readable: (count) => {
				socket.read(new Uint8Array(count));
				isRequested = true;
				send();
			},
			writable: (bytes) => {
				room = bytes;
				send();
			},
			failed: () => socket.close(),
		};
	});
}

export interface UpdateRun {
	readonly phases: readonly UpdatePhase[];
	readonly crashes: number;
	readonly answers: readonly unknown[] | undefined;
	/** awakeLimit has cut a wake short. */
	readonly isLate: boolean;
	/** Reports in the second half of the hour. */
	readonly acknowledged: number;
	/** RAM, at most, of the wake in which the image was fetched, bytes as in test/e2e/memory-use.test.ts. */
	readonly bytes: number;
}

/** Simulates an hour of a node that is told to take another image. */
export async function runUpdate(engine: "xs" | "node", fault?: string): Promise<UpdateRun> {
	const json = JSON.parse(readFileSync(path, "utf8"));
	json.include.push("./firmware/update/manifest.json");
	Object.assign(json.config.firefly, { id: "desk", commands: {}, update: { trialWakes: 2 } });
	json.config.firefly.broker = { url: "mqtt://192.168.1.10" };
	const events: TimedEvent[] = [];
	let commander: VirtualCommander | undefined;
	let sleeps = 0;
	let bytes = 0;
	const simulation = await Simulation.build({
		manifest: { path, json, overrides: {} },
		speed: "max",
		seed: 1,
		engine,
		...(fault === undefined ? {} : { faults: [parseFault(fault)] }),
		listener: {
			event: (event) => {
				if (event.node === "broker") return;
				events.push(event);
				if (event.type === "update" && event.phase === "activated") {
					const { slotsPeak = 0, chunksPeak = 0, stackPeak = 0 } = simulation.node.statistics() ?? {};
					bytes = (slotsPeak + stackPeak) * 16 + chunksPeak;
				}
				if (event.type !== "sleep") return;
				if (++sleeps === 5) commander = new VirtualCommander(simulation, 5, ["firefly/desk/answer"]);
				if (sleeps !== 10) return;
				const sha256 = createHash("sha256").update(IMAGE).digest("hex");
				const command = { command: "update", id: 1, url: `http://${SERVER}:8070/image`, sha256 };
				commander?.publish("firefly/desk/command", JSON.stringify(command), 1);
			},
		},
	});
	serve(simulation);
	await simulation.run(HOUR);
	simulation.dispose();
	return {
		bytes,
		phases: events.flatMap((event) => (event.type === "update" ? [event.phase] : [])),
		crashes: events.filter(({ type }) => type === "crash").length,
		answers: commander?.answers.map(({ payload }) => payload),
		isLate: events.some(({ type }) => type === "limit"),
		acknowledged: events.filter(
			({ type, time }) => type === "acknowledged" && time > events[0]!.time + HOUR / 2,
		).length,
	};
}
