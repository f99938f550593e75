import type { HostFunction, Machine } from "../../../sim/xs/index";
import type { Usage } from "../../../src/broker/inspection";
import type { Channel, FuzzNetwork } from "./fuzz-network";
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

	static async start(network: FuzzNetwork): Promise<SubjectOnXS> {
		const channels = new Map<number, Channel>();
		const topics: Uint8Array[] = [];
		let call!: (step: number, ...numbers: number[]) => number;
		const channelOf = (id: number): Channel => {
			const channel = channels.get(id);
			if (channel === undefined) throw new Error("invalid host data");
			return channel;
		};
		const natives: Record<string, HostFunction> = {
			listen: (port: number) => {
				network.listeners.set(port, { onReadable: (count) => call(ON_CONNECTION, port, count), backlog: [] });
			},
			accept: (port: number) => {
				const channel = network.listeners.get(port)!.backlog.shift();
				if (channel === undefined) return 0;
				let id = 1;
				while (channels.has(id)) id++;
				channels.set(id, channel);
				return id;
			},
			attach: (id: number) =>
				channelOf(id).attach({
					onReadable: (bytes) => call(ON_READABLE, id, bytes),
					onWritable: (bytes) => call(ON_WRITABLE, id, bytes),
					onError: () => call(ON_ERROR, id),
				}),
			host: (id: number) => channelOf(id).host,
			read: (id: number, buffer: Uint8Array) => channelOf(id).read(buffer),
			write: (id: number, buffer: Uint8Array) => channelOf(id).write(buffer),
			close: (id: number) => {
				channels.get(id)?.close();
				channels.delete(id);
			},
			set: (index: number, delay: number, repeat: number) =>
				network.timer.set(() => call(ON_TIMER, index), delay, repeat) as number,
			schedule: (id: number, delay: number | undefined, repeat: number | undefined) =>
				network.timer.schedule(id, delay, repeat),
			ticks: () => network.time.ticks,
			fail: (message: string) => network.trace(message),
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
