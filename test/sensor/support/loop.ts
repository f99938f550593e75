import type { Settings } from "../../../src/config/types";
import type { Device, TCPOptions, TimerId } from "../../../src/device";
import { RETAINED_BYTES } from "../../../src/retained-memory";
import { startNode } from "../../../src/sensor/start-node";
import { InMachineSocket } from "../../support/in-machine-socket";

// Runs inside XS: an always-on node, a broker that acknowledges, and the clock; none of them allocates.

class LoopTimer {
	readonly callback: (id: TimerId) => void;
	at = 0;
	repeat = 0;
	active = true;
	constructor(callback: (id: TimerId) => void) {
		this.callback = callback;
	}
}

const CONNECT = 1;
const PUBLISH = 3;
const PUBREL = 6;
const SUBSCRIBE = 8;

/** The host, and the broker's end of its only socket. */
class LoopHost {
	ticks = 0;
	/** The same for Node, whose clock goes by it. */
	readonly sharedTicks: Float64Array;
	published = 0;
	readonly timers: LoopTimer[] = [];
	socket: InMachineSocket | undefined;
	readonly reading = { temperature: 0, humidity: 0, co2: 0, ratio: 0 };

	constructor(sharedTicks: Float64Array) {
		this.sharedTicks = sharedTicks;
	}

	respond(bytes: Uint8Array): void {
		const socket = this.socket!;
		const receiveBuffer = socket.input;
		// The buffer begins anew when all of it is read
		let to = socket.at < socket.end ? socket.end : 0;
		if (to === 0) socket.at = 0;
		for (let at = 0; at < bytes.length; ) {
			const type = bytes[at] >> 4;
			// The remaining length on its own, as this peer must not share the project's errors
			let length = bytes[at + 1] & 0x7f;
			let start = at + 2;
			if (bytes[at + 1] > 0x7f) {
				length |= bytes[at + 2] << 7;
				start++;
			}
			if (type === CONNECT) {
				receiveBuffer[to++] = 0x20;
				receiveBuffer[to++] = 3;
				receiveBuffer[to++] = receiveBuffer[to++] = receiveBuffer[to++] = 0;
			} else if (type === PUBLISH) {
				const id = start + 2 + ((bytes[start] << 8) | bytes[start + 1]);
				receiveBuffer[to++] = (bytes[at] & 4) !== 0 ? 0x50 : 0x40;
				receiveBuffer[to++] = 2;
				receiveBuffer[to++] = bytes[id];
				receiveBuffer[to++] = bytes[id + 1];
				this.published++;
			} else if (type === PUBREL) {
				receiveBuffer[to++] = 0x70;
				receiveBuffer[to++] = 2;
				receiveBuffer[to++] = bytes[start];
				receiveBuffer[to++] = bytes[start + 1];
			} else if (type === SUBSCRIBE) {
				receiveBuffer[to++] = 0x90;
				receiveBuffer[to++] = 4;
				receiveBuffer[to++] = bytes[start];
				receiveBuffer[to++] = bytes[start + 1];
				receiveBuffer[to++] = 0;
				receiveBuffer[to++] = 2;
			}
			at = start + length;
		}
		socket.end = to;
	}

	/** Advances time until `count` reports were published. */
	run(count: number): void {
		const { timers, reading } = this;
		const end = this.published + count;
		while (this.published < end) {
			this.sharedTicks[0] = this.ticks += 1000;
			reading.temperature = 20 + (this.published % 100) / 10;
			reading.humidity = 40 + (this.published % 7) / 1000;
			reading.co2 = 700 + (this.published % 13);
			reading.ratio = 0.00476416302416414;
			for (let i = 0; i < timers.length; i++) {
				const timer = timers[i];
				if (!timer.active || timer.at > this.ticks) continue;
				timer.at = this.ticks + timer.repeat;
				timer.callback(timer);
			}
			const socket = this.socket!;
			while (socket.at < socket.end) socket.options.onReadable!.call(socket, socket.end - socket.at);
			socket.options.onWritable!.call(socket, socket.room);
		}
	}
}

/** @param memory retained memory, behind it the ticks, which begin at 0 */
export default function main(
	keep: (run: (count: number) => void) => void,
	tell: (text: string) => void,
	memory: ArrayBuffer,
	checksum: NonNullable<Device["checksum"]>,
	settings: Settings,
): void {
	const host = new LoopHost(new Float64Array(memory, RETAINED_BYTES, 1));
	class LoopTCP extends InMachineSocket {
		constructor(options: TCPOptions) {
			super(options);
			this.input = new Uint8Array(256);
			host.socket = this;
		}
		override write(buffer: Uint8Array) {
			host.respond(buffer);
			return super.write(buffer);
		}
	}
	class Driver {
		configure() {}
		sample() {
			return host.reading;
		}
		close() {}
	}
	const device: Device = {
		mac: "a0b1c2d3e4f5",
		chip: "xs",
		tcp: { io: LoopTCP },
		timer: {
			set(callback, delay, repeat = 0) {
				const timer = new LoopTimer(callback);
				timer.at = host.ticks + delay;
				timer.repeat = repeat;
				host.timers.push(timer);
				return timer;
			},
			schedule(id, delay, repeat = 0) {
				const timer = id as LoopTimer;
				timer.active = delay !== undefined;
				if (delay === undefined) return;
				timer.at = host.ticks + delay;
				timer.repeat = repeat;
			},
			clear(id) {
				if (id !== undefined) (id as LoopTimer).active = false;
			},
		},
		time: {
			get ticks() {
				return host.ticks;
			},
			delta: (start, end = host.ticks) => end - start,
		},
		sleep: { reason: "power-on", deep() {} },
		retained: new Uint8Array(memory, 0, RETAINED_BYTES),
		checksum,
		clockIsSet: true,
		resolve: (name, callback) => callback(name),
		driver: () => Driver,
		trace: tell,
	};
	startNode(device, settings);
	host.socket!.grant();
	host.run(100);
	keep((count) => host.run(count));
}
