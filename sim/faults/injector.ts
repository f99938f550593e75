import type { Fault } from "./fault";
import type { FaultKind } from "./fault-kinds";
import { kindOf, targetsOf } from "./fault-targets";
import type { FaultBoard, FaultWorld } from "./world";

/** Puts the faults of a run into effect, each at its time. */
export class FaultInjector {
	readonly #world: FaultWorld;
	readonly #faults: readonly Fault[];
	readonly #onChange: (fault: Fault, begins: boolean) => void;
	/** Lasting faults in effect, the newest last, by kind and board. */
	readonly #active = new Map<string, Fault[]>();

	/**
	 * @param onChange called when a fault begins, and, if it lasts, when it ends
	 * @throws FaultTargetError
	 */
	constructor(
		world: FaultWorld,
		faults: readonly Fault[],
		onChange: (fault: Fault, begins: boolean) => void = () => {},
	) {
		this.#world = world;
		this.#faults = faults;
		this.#onChange = onChange;
		for (const fault of faults) this.#targets(fault);
	}

	/** Call at the start of the run. */
	start(): void {
		const { scheduler } = this.#world;
		for (const fault of this.#faults) {
			const { at, duration } = fault;
			scheduler.after(at, () => this.#begin(fault));
			if (duration !== undefined) scheduler.after(at + duration, () => this.#end(fault));
		}
	}

	#begin(fault: Fault): void {
		const kind = kindOf(fault);
		this.#onChange(fault, true);
		for (const board of this.#targets(fault)) {
			if (kind.lasts) this.#activeOn(fault, board).push(fault);
			this.#apply(kind, fault, board);
		}
	}

	#end(fault: Fault): void {
		for (const board of this.#targets(fault)) {
			const active = this.#activeOn(fault, board);
			active.splice(active.indexOf(fault), 1);
			this.#apply(kindOf(fault), fault, board);
		}
		this.#onChange(fault, false);
	}

	#apply(kind: FaultKind, fault: Fault, board: FaultBoard | undefined): void {
		const active = kind.lasts ? this.#activeOn(fault, board) : [fault];
		const amounts = active.map(({ amount }) => amount ?? kind.defaultAmount ?? 0);
		kind.apply(this.#world, amounts, board);
	}

	#activeOn({ name }: Fault, board: FaultBoard | undefined): Fault[] {
		const key = `${name}/${board?.name ?? ""}`;
		const known = this.#active.get(key);
		if (known) return known;
		const created: Fault[] = [];
		this.#active.set(key, created);
		return created;
	}

	#targets(fault: Fault): readonly (FaultBoard | undefined)[] {
		return targetsOf(fault, this.#world.boards);
	}
}
