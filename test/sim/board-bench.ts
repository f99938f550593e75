import { fileURLToPath } from "node:url";
import { Board, type BoardOptions } from "../../sim/board/board";
import { Scheduler } from "../../sim/clock/scheduler";
import { createEngine, type EngineName } from "../../sim/engine/engine-factory";
import { type JSONObject, readManifest } from "../../sim/manifest/manifest-reader";
import { linkProgram } from "../../sim/manifest/program";
import { VirtualNetwork } from "../../sim/network/virtual";
import type { SimulationEvent } from "../../sim/report/events";
import { AccessPoint } from "../../sim/wifi/access-point";

export const START = Date.UTC(2026, 0, 1);

export function fixture(name: string): string {
	return fileURLToPath(new URL(`./fixtures/${name}/manifest.json`, import.meta.url));
}

export interface TimedEvent {
	/** ms since the start. */
	readonly at: number;
	readonly event: SimulationEvent;
}

/** A simulation bench with boards that run the probe. */
export class BoardBench {
	readonly scheduler = new Scheduler(START);
	readonly network: VirtualNetwork;
	readonly accessPoint = new AccessPoint(this.scheduler);

	constructor(latency = 4) {
		this.network = new VirtualNetwork(this.scheduler, { latency });
	}

	/** Runs all events up to `ms` after the start. */
	run(ms: number): void {
		while (this.scheduler.step(START + ms));
		this.scheduler.advance(START + ms);
	}

	async board(
		engine: EngineName,
		config: JSONObject,
		options: Partial<BoardOptions> & { wifi?: boolean } = {},
	): Promise<{ board: Board; events: TimedEvent[]; lines: () => string[] }> {
		const events: TimedEvent[] = [];
		const { wifi, ...rest } = options;
		const address = options.address ?? "192.168.4.11";
		const board = new Board({
			scheduler: this.scheduler,
			network: this.network.host(address),
			...(wifi ? { accessPoint: this.accessPoint } : {}),
			latency: this.network.latency,
			mac: "02f1ef1f0001",
			address,
			seed: 1,
			sensors: [],
			sensorPort: { natives: { sim_sensor_open: () => 0, sim_sensor_read: () => undefined } },
			retained: 64,
			drift: 0,
			emit: (event) => events.push({ at: this.scheduler.now - START, event }),
			...rest,
		});
		const program = linkProgram(readManifest(fixture("probe")), { config });
		board.flash(await (await createEngine(engine)).load(program, board.natives));
		board.powerOn();
		return {
			board,
			events,
			lines: () =>
				events.flatMap(({ at, event }) => (event.type === "trace" ? [`${at} ${event.message}`] : [])),
		};
	}
}
