import type { RunControls } from "./report/controls";
import type { Simulation } from "./simulation";

/** Lets a person act on a running simulation. Every action takes effect at the present. */
export class Controls implements RunControls {
	readonly #simulation: Simulation;

	constructor(simulation: Simulation) {
		this.#simulation = simulation;
	}

	get time(): number {
		return this.#simulation.pace.now;
	}

	get speed(): number | "max" {
		return this.#simulation.pace.speed;
	}

	set speed(speed: number | "max") {
		this.#simulation.pace.speed = speed;
	}

	get paused(): boolean {
		return this.#simulation.pace.paused;
	}

	set paused(paused: boolean) {
		this.#simulation.pace.paused = paused;
	}

	get wifiOutage(): boolean {
		return !this.#simulation.accessPoint.present;
	}

	set wifiOutage(outage: boolean) {
		this.#act(() => {
			this.#simulation.accessPoint.present = !outage;
		});
	}

	get brokerOutage(): boolean | undefined {
		return this.#simulation.brokerHosts[0]?.blackHole;
	}

	set brokerOutage(outage: boolean) {
		this.#act(() => {
			for (const host of this.#simulation.brokerHosts) host.blackHole = outage;
		});
	}

	reset(node: string): void {
		const board = this.#simulation.boardNamed(node);
		if (board !== undefined && board.state !== "off") this.#act(() => board.reset());
	}

	togglePower(node: string): void {
		const board = this.#simulation.boardNamed(node);
		if (board === undefined) return;
		this.#act(() => {
			if (board.state === "off") board.powerOn();
			else {
				board.powerOff();
				this.#simulation.emitPowerOff(node);
			}
		});
	}

	#act(action: () => void): void {
		this.#simulation.pace.runAtPresent(action);
	}
}
