import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Board } from "../../sim/board/board";
import type { EngineName } from "../../sim/engine/choose";
import { Fleet, START } from "../../sim/fleet";
import { Observer } from "../../sim/observer";
import type { SimulationEvent } from "../../sim/report/events";

const firmware = fileURLToPath(new URL("../../firmware/manifest.json", import.meta.url));
/** Of the board that plays the broker. */
const ADDRESS = "192.168.4.2";
const HOUR = 3_600_000;
const engines: EngineName[] = ["node", "xs"];

interface Scene {
	readonly fleet: Fleet;
	readonly board: Board;
	readonly events: SimulationEvent[];
}

/** A broker on a board, alone, and what happens there. */
function broker(engine: EngineName, firefly: object): Promise<Scene> {
	return fleetOf(engine, { role: "broker", listen: { anonymous: true }, ...firefly });
}

async function fleetOf(engine: EngineName, firefly: object): Promise<Scene> {
	const events: SimulationEvent[] = [];
	const json = { include: [firmware], config: { firefly } };
	const fleet = await Fleet.build({
		manifest: { path: firmware.replace("firmware/", ""), json, overrides: {} },
		speed: "max",
		seed: 1,
		engine,
		listener: { event: (event) => events.push(event) },
	});
	return { fleet, board: fleet.boards[0]!, events };
}

for (const engine of engines) {
	describe(`a broker on a board on ${engine}`, () => {
		test("asks a time server what time it is, and again until there is one", async () => {
			const { fleet, board, events } = await broker(engine, { wifi: { ssid: "home" } });
			// The answer is in whole seconds.
			const off = (): number => Math.abs(board.time - fleet.scheduler.now);
			fleet.scheduler.after(2 * HOUR, () => {
				assert.ok(off() < 1100, "it has the time once it is on the network");
				board.powerOn();
			});
			// Off the network from the moment that it has an address, before the answer is there.
			let outages = 0;
			const watch = (): void => {
				if (board.station.up && ++outages) fleet.accessPoint.present = false;
				else fleet.scheduler.after(1, watch);
			};
			fleet.scheduler.after(2 * HOUR + 1, watch);
			fleet.scheduler.after(3 * HOUR, () => {
				assert.equal(outages, 1);
				assert.ok(off() > START / 2, "without a network it has none");
				fleet.accessPoint.present = true;
			});
			await fleet.run(5 * HOUR);
			assert.ok(off() < 1100, "and gets it when there is one again");
			assert.deepEqual(
				events.filter(({ type }) => type === "crash"),
				[],
			);
			fleet.dispose();
		});

		test("leaves the clock alone where no server is configured", async () => {
			const { fleet, board } = await broker(engine, { wifi: { ssid: "home" }, time: { server: false } });
			await fleet.run(HOUR);
			assert.equal(board.time, HOUR);
			fleet.dispose();
		});

		test("has its retained values in flash when power comes back, but for those of the last persistInterval", async () => {
			const minutes = 60_000;
			const sensor = { name: "t", driver: "virtual", every: "10m", grid: true };
			for (const persist of [true, false]) {
				const { fleet, board, events } = await fleetOf(engine, {
					sensors: [sensor],
					broker: { url: "mqtt://broker" },
					listen: { persist, persistInterval: "1m" },
				});
				const found: string[] = [];
				for (const cut of [12, 20.5]) {
					fleet.scheduler.after(cut * minutes, () => board.powerOn("brown-out"));
					fleet.scheduler.after(cut * minutes + 5000, () =>
						new Observer(
							fleet.scheduler,
							fleet.network.host(`192.168.4.${Math.floor(cut)}`),
							ADDRESS,
							1883,
							{ clientId: `at ${cut}` },
							{
								value: (_, payload, retained) => found.push(`${payload} ${retained}`),
							},
						).start(),
					);
				}
				await fleet.run(21 * minutes);
				const reported = events.flatMap((event) => (event.type === "value" ? [event] : []));
				const before = reported.findLast(({ time }) => time < START + 12 * minutes)!.payload;
				const after = reported.findLast(({ time }) => time < START + 20.4 * minutes)!.payload;
				assert.notEqual(before, after);
				assert.deepEqual(found, persist ? [`${before} true`, `${after} true`, `${before} true`] : [`${after} true`]);
				fleet.dispose();
			}
		});
	});
}
