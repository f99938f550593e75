import type { HostFunction, Machine } from "../../../sim/xs/index";
import type { Usage } from "../../../src/broker/broker";
import type { Channel, Net } from "./fuzz-net";
import type { Subject } from "./fuzz-subject";
import { chip, machineOnXS } from "./xs-machine";

// Steps of xs-fuzz-bench.ts
const START = 0;
const READABLE = 1;
const WRITABLE = 2;
const FAILED = 3;
const ARRIVED = 4;
const RING = 5;
const USAGE = 6;
const TOPICS = 7;
const INTERNAL = 8;
const FAIL = 9;

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

/** A broker on XS, with a device's memory and nothing else in it but the sockets. */
export class SubjectOnXS implements Subject {
	readonly #machine: Machine;
	readonly #call: (step: number, ...numbers: number[]) => number;
	readonly #topics: Uint8Array[];

	private constructor(machine: Machine, call: (step: number, ...numbers: number[]) => number, topics: Uint8Array[]) {
		this.#machine = machine;
		this.#call = call;
		this.#topics = topics;
	}

	static async start(net: Net): Promise<SubjectOnXS> {
		const channels = new Map<number, Channel>();
		const topics: Uint8Array[] = [];
		let call!: (step: number, ...numbers: number[]) => number;
		const known = (id: number): Channel => {
			const channel = channels.get(id);
			if (channel === undefined) throw new Error("invalid host data");
			return channel;
		};
		const natives: Record<string, HostFunction> = {
			listen: (port: number) => {
				net.doors.set(port, { onReadable: (count) => call(ARRIVED, port, count), backlog: [] });
			},
			accept: (port: number) => {
				const channel = net.doors.get(port)!.backlog.shift();
				if (channel === undefined) return 0;
				let id = 1;
				while (channels.has(id)) id++;
				channels.set(id, channel);
				return id;
			},
			attach: (id: number) =>
				known(id).attach({
					onReadable: (bytes) => call(READABLE, id, bytes),
					onWritable: (bytes) => call(WRITABLE, id, bytes),
					onError: () => call(FAILED, id),
				}),
			read: (id: number, buffer: Uint8Array) => known(id).read(buffer),
			write: (id: number, buffer: Uint8Array) => known(id).write(buffer),
			close: (id: number) => {
				channels.get(id)?.close();
				channels.delete(id);
			},
			set: (index: number, delay: number, repeat: number) => net.timer.set(() => call(RING, index), delay, repeat) as number,
			schedule: (id: number, delay: number | undefined, repeat: number | undefined) => net.timer.schedule(id, delay, repeat),
			ticks: () => net.time.ticks,
			fail: (message: string) => net.trace(message),
			topic: (bytes: Uint8Array, start: number, end: number) => {
				topics.push(bytes.slice(start, end));
			},
		};
		const bench = await machineOnXS("xs-fuzz-bench", chip, { natives, preload: ["fuzz-settings"] });
		call = bench.call;
		call(START);
		return new SubjectOnXS(bench.machine, call, topics);
	}

	usage(): Record<keyof Usage, number> {
		return Object.fromEntries(POOLS.map((pool, i) => [pool, this.#call(USAGE, i)])) as Record<keyof Usage, number>;
	}

	topics(): Uint8Array[] {
		this.#topics.length = 0;
		this.#call(TOPICS);
		return this.#topics.slice();
	}

	internal(): number {
		return this.#call(INTERNAL);
	}

	memory(): { slots: number; chunks: number; stack: number } {
		const machine = this.#machine;
		this.#call(FAIL);
		machine.collect();
		machine.collect();
		const { slots, chunks, stack } = machine.statistics;
		return { slots: slots.used, chunks: chunks.used, stack: stack.peak };
	}

	end(): void {
		this.#machine.destroy();
	}
}
