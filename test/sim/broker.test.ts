import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Board } from "../../sim/board/board";
import type { EngineName } from "../../sim/engine/engine-factory";
import { Observer } from "../../sim/observer";
import type { TimedEvent } from "../../sim/report/events";
import { DEFAULT_START_TIME, Simulation } from "../../sim/simulation";

const firmware = fileURLToPath(new URL("../../firmware/manifest.json", import.meta.url));
/** Address of the broker's board. */
const ADDRESS = "192.168.4.2";
const HOUR = 3_600_000;
const engines: EngineName[] = ["node", "xs"];

interface RunningBroker {
	readonly simulation: Simulation;
	readonly board: Board;
	readonly events: TimedEvent[];
}

/** A broker on its own board, and the recorded events. */
function broker(engine: EngineName, firefly: object): Promise<RunningBroker> {
	return buildSimulation(engine, { role: "broker", listen: { anonymous: true }, ...firefly });
}

async function buildSimulation(engine: EngineName, firefly: object): Promise<RunningBroker> {
	const events: TimedEvent[] = [];
	const json = { include: [firmware], config: { firefly } };
	const simulation = await Simulation.build({
		manifest: { path: firmware.replace("firmware/", ""), json, overrides: {} },
		speed: "max",
		seed: 1,
		engine,
		listener: { event: (event) => events.push(event) },
	});
	return { simulation, board: simulation.boards[0]!, events };
}

for (const engine of engines) {
	describe(`a broker on a board on ${engine}`, () => {
		test("requests the time from a time server, repeatedly until it answers", async () => {
			const { simulation, board, events } = await broker(engine, { wifi: { ssid: "home" } });
			// The answer is in whole seconds.
			const clockErrorMs = (): number => Math.abs(board.time - simulation.scheduler.now);
			simulation.scheduler.after(2 * HOUR, () => {
				assert.ok(clockErrorMs() < 1100, "it has the time once it is on the network");
				board.powerOn();
			});
			// The network fails as soon as the board has an address, before the answer arrives.
			let outages = 0;
			const watchOutages = (): void => {
				if (board.station.up && ++outages) simulation.accessPoint.present = false;
				else simulation.scheduler.after(1, watchOutages);
			};
			simulation.scheduler.after(2 * HOUR + 1, watchOutages);
			simulation.scheduler.after(3 * HOUR, () => {
				assert.equal(outages, 1);
				assert.ok(clockErrorMs() > DEFAULT_START_TIME / 2, "without a network it has none");
				simulation.accessPoint.present = true;
			});
			await simulation.run(5 * HOUR);
			assert.ok(clockErrorMs() < 1100, "and gets it when there is one again");
			assert.deepEqual(
				events.filter(({ type }) => type === "crash"),
				[],
			);
			simulation.dispose();
		});

		test("does not set the clock if no server is configured", async () => {
			const { simulation, board } = await broker(engine, { wifi: { ssid: "home" }, time: { server: false } });
			await simulation.run(HOUR);
			assert.equal(board.time, HOUR);
			simulation.dispose();
		});

		test("restores retained values at power-on, except those of the last persistInterval", async () => {
			const MINUTE_MS = 60_000;
			const sensor = { name: "t", driver: "virtual", every: "10m", grid: true };
			for (const persist of [true, false]) {
				const { simulation, board, events } = await buildSimulation(engine, {
					sensors: [sensor],
					broker: { url: "mqtt://broker" },
					listen: { persist, persistInterval: "1m" },
				});
				const found: string[] = [];
				for (const cut of [12, 20.5]) {
					simulation.scheduler.after(cut * MINUTE_MS, () => board.powerOn("brown-out"));
					simulation.scheduler.after(cut * MINUTE_MS + 5000, () =>
						new Observer(
							simulation.scheduler,
							simulation.network.host(`192.168.4.${Math.floor(cut)}`),
							ADDRESS,
							1883,
							{ clientId: `at ${cut}` },
							{
								value: (_, payload, retained) => found.push(`${payload} ${retained}`),
							},
						).start(),
					);
				}
				await simulation.run(21 * MINUTE_MS);
				const reported = events.flatMap((event) => (event.type === "value" ? [event] : []));
				const before = reported.findLast(({ time }) => time < DEFAULT_START_TIME + 12 * MINUTE_MS)!.payload;
				const after = reported.findLast(({ time }) => time < DEFAULT_START_TIME + 20.4 * MINUTE_MS)!.payload;
				assert.notEqual(before, after);
				assert.deepEqual(
					found,
					persist ? [`${before} true`, `${after} true`, `${before} true`] : [`${after} true`],
				);
				simulation.dispose();
			}
		});
	});
}
