import { Broker } from "../../../src/broker/broker";
import { defaults } from "../../../src/config/defaults";

declare function native(name: string): (this: unknown, ...values: unknown[]) => unknown;

/** A host without clients: only the memory that the broker takes at its start is of interest. */
const host = {
	listener: {
		io: class {
			port = 1883;
			read() {}
			close() {}
		},
	},
	tcp: { io: class {} },
	timer: { set: () => 1, schedule() {}, clear() {} },
	time: { ticks: 1, delta: () => 0 },
	trace() {},
	storage: { open: () => ({ read() {}, write() {}, delete() {}, close() {} }) },
};

let broker: Broker | undefined;

/**
 * 0: creates a broker, with one setting changed.
 * @param persist 1: with storage
 * @param web 1: with the page
 */
native("keep").call(undefined, (key: string, value: number, persist: number, web: number) => {
	broker = new Broker(
		host as never,
		{
			...defaults.listen,
			anonymous: true,
			persist: persist === 1,
			...(web === 1 ? { webSocket: 8080 } : {}),
			[key]: value,
		} as never,
	);
	broker.start();
	return broker.usage.sockets;
});
