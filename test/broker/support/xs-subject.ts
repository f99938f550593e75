import type { HostListener, HostSocket } from "../../../sim/network/socket";
import type { HostFunction, Machine } from "../../../sim/xs/index";
import type { Usage } from "../../../src/broker/inspection";
import type { TimerId } from "../../../src/device";
import type { FuzzHost } from "./fuzz-host";
import type { Subject } from "./fuzz-subject";
import { deviceCreation, machineOnXS } from "./xs-machine";

// Steps of xs-fuzz-bench.ts
const START = 0;
const ON_READABLE = 1;
const ON_WRITABLE = 2;
const ON_ERROR = 3;
const ON_CONNECTION = 4;
const ON_TIMER = 5;
const USAGE = 6;
const TOPICS = 7;
const INTERNAL_ERRORS = 8;
const THROW_ERROR = 9;

const POOLS: readonly (keyof Usage)[] = [
	"sockets",
	"connections",
	"sessions",
	"sessionBytes",
	"subscriptions",
	"filterLevels",
	"filterBytes",
	"values",
	"valueBytes",
	"queued",
	"queuedBytes",
];

/** A broker on XS with a device's memory, which contains only the broker and its sockets. */
export class SubjectOnXS implements Subject {
	readonly #machine: Machine;
	readonly #call: (step: number, ...numbers: number[]) => number;
	readonly #topics: Uint8Array[];

	private constructor(
		machine: Machine,
		call: (step: number, ...numbers: number[]) => number,
		topics: Uint8Array[],
	) {
		this.#machine = machine;
		this.#call = call;
		this.#topics = topics;
	}

	static async start(host: FuzzHost): Promise<SubjectOnXS> {
		const listeners = new Map<number, HostListener>();
		const sockets = new Map<number, HostSocket>();
		const timers: TimerId[] = [];
		const topics: Uint8Array[] = [];
		let call!: (step: number, ...numbers: number[]) => number;
		const socketOf = (id: number): HostSocket => {
			const socket = sockets.get(id);
			if (socket === undefined) throw new Error("invalid host data");
			return socket;
		};
		const natives: Record<string, HostFunction> = {
			listen: (port: number) => {
				listeners.set(
					port,
					host.server.listen(port, (count) => call(ON_CONNECTION, port, count)),
				);
			},
			accept: (port: number) => {
				const socket = listeners.get(port)!.accept();
				if (socket === undefined) return 0;
				let id = 1;
				while (sockets.has(id)) id++;
				sockets.set(id, socket);
				return id;
			},
			attach: (id: number) => {
				socketOf(id).handler = {
					readable: (bytes) => call(ON_READABLE, id, bytes),
					writable: (room) => call(ON_WRITABLE, id, room),
					failed: () => call(ON_ERROR, id),
				};
			},
			host: (id: number) => Number(socketOf(id).remoteAddress!.split(".").at(-1)),
			read: (id: number, buffer: Uint8Array) => socketOf(id).read(buffer),
			write: (id: number, buffer: Uint8Array) => host.noteBlocked(() => socketOf(id).write(buffer)),
			close: (id: number) => {
				sockets.get(id)?.close();
				sockets.delete(id);
			},
			set: (index: number, delay: number, repeat: number) =>
				timers.push(host.timer.set(() => call(ON_TIMER, index), delay, repeat)) - 1,
			schedule: (id: number, delay: number | undefined, repeat: number | undefined) =>
				host.timer.schedule(timers[id]!, delay, repeat),
			ticks: () => host.time.ticks,
			fail: (message: string) => host.trace(message),
			topic: (bytes: Uint8Array, start: number, end: number) => {
				topics.push(bytes.slice(start, end));
			},
		};
		const bench = await machineOnXS("xs-fuzz-bench", deviceCreation, { natives, preload: ["fuzz-settings"] });
		call = bench.call;
		call(START);
		return new SubjectOnXS(bench.machine, call, topics);
	}

	usage(): Record<keyof Usage, number> {
		return Object.fromEntries(POOLS.map((pool, i) => [pool, this.#call(USAGE, i)])) as Record<
			keyof Usage,
			number
		>;
	}

	topics(): Uint8Array[] {
		this.#topics.length = 0;
		this.#call(TOPICS);
		return this.#topics.slice();
	}

	internalErrors(): number {
		return this.#call(INTERNAL_ERRORS);
	}

	memoryUse(): { slots: number; chunks: number; stack: number } {
		const machine = this.#machine;
		this.#call(THROW_ERROR);
		machine.collect();
		machine.collect();
		const { slots, chunks, stack } = machine.statistics;
		return { slots: slots.used, chunks: chunks.used, stack: stack.peak };
	}

	end(): void {
		this.#machine.destroy();
	}
}
