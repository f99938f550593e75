import { arrayBufferOf, type BufferPool } from "./buffer-pool";
import type { NativeFunction } from "./engine";
import type { Bundle, ModuleState } from "./program-bundle";

/** A board that runs a program. */
export interface ProgramBoard {
	/** The chip that is on. */
	readonly chip: ProgramChip | undefined;
	readonly config: unknown;
	/** What the program's `ArrayBuffer` constructs. */
	readonly buffers: BufferPool;
}

/** What a program asks of its chip. */
export interface ProgramChip {
	bind(name: string): NativeFunction;
	trace(text: string): void;
	/** ms since 1970 */
	clock(): number;
	/** 0 … 1 */
	random(): number;
}

/**
 * A program after its modules have run, for one board at a time: the variables of the modules are those of
 * the board whose call it is. So V8 compiles and optimises the code once, for objects of the same classes,
 * however many boards there are.
 */
export class ProgramInstance {
	readonly #bundle: Bundle;
	readonly #modules: ModuleState[] = [];
	/** What the modules' variables are on boards whose call it is not, a row a module. */
	#states = new WeakMap<ProgramBoard, unknown[][]>();
	/** The board whose variables the modules have. */
	#board: ProgramBoard | undefined;
	/** Calls that have not returned. */
	#depth = 0;
	#hasRun = false;
	#main: unknown;

	constructor(bundle: Bundle) {
		this.#bundle = bundle;
	}

	/** Starts the program on a board; only inside a call of it. */
	start(): void {
		if (this.#hasRun) for (const module of this.#modules) module.reset();
		else this.#runModules();
		if (typeof this.#main === "function") (this.#main as () => void)();
	}

	/** Calls the program on a board. */
	call<T>(board: ProgramBoard, action: () => T): T {
		const before = this.#board;
		if (before !== board) this.#enter(board);
		this.#depth++;
		try {
			return action();
		} finally {
			// One board may be called inside a call of another
			if (--this.#depth > 0 && before !== undefined && before !== this.#board) this.#enter(before);
		}
	}

	/** The board is not going to call any more. */
	leave(board: ProgramBoard): void {
		this.#states.delete(board);
		if (this.#board !== board || this.#depth > 0) return;
		for (const module of this.#modules) module.reset();
		this.#board = undefined;
	}

	#enter(board: ProgramBoard): void {
		const modules = this.#modules;
		if (this.#board !== undefined) {
			const state = this.#states.get(this.#board) ?? modules.map(() => []);
			for (let i = 0; i < modules.length; i++) modules[i]!.save(state[i]!);
			this.#states.set(this.#board, state);
		}
		this.#board = board;
		const state = this.#states.get(board);
		for (let i = 0; i < modules.length; i++)
			if (state !== undefined) modules[i]!.load(state[i]!);
			else {
				modules[i]!.reset();
				modules[i]!.configure();
			}
	}

	#runModules(): void {
		const board = (): ProgramBoard => this.#board!;
		const chip = (): ProgramChip => this.#board!.chip!;
		const math = Object.create(Math) as Math;
		math.random = () => chip().random();
		// Those of a run that a module has ended with an exception
		this.#modules.length = 0;
		this.#states = new WeakMap();
		this.#bundle.run(
			(name) => chip().bind(name),
			(...text) => {
				for (const part of text) chip().trace(part);
			},
			{},
			createDateClass(() => chip().clock()),
			math,
			arrayBufferOf(() => board().buffers),
			(main) => {
				this.#main = main;
			},
			(module) => this.#modules.push(module),
			() => board().config,
		);
		this.#hasRun = true;
	}
}

function createDateClass(clock: () => number): DateConstructor {
	return class BoardDate extends Date {
		constructor(...args: [] | [number]) {
			super(...((args.length === 0 ? [clock()] : args) as [number]));
		}

		static override now(): number {
			return clock();
		}
	} as unknown as DateConstructor;
}
