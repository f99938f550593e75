import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** No exchange of a message with QoS 2 is shorter in one direction. */
const MINIMUM_BYTES = 12;

export type Direction = "to the broker" | "to the client";

/** Forwards so many bytes in one direction of the next connection, then destroys both sides. */
export class ByteCutter {
	direction: Direction = "to the broker";
	/** Bytes until the cut; Infinity: no cut, as after one. */
	budget = Number.POSITIVE_INFINITY;
	/** Called at the cut, once the last byte has been passed on. */
	onCut: () => void = () => {};
	readonly #server: Server;
	readonly #pairs = new Map<Socket, Socket>();

	constructor(target: number) {
		this.#server = createServer((node) => this.#relay(node, connect(target, "127.0.0.1")));
	}

	async listen(): Promise<number> {
		this.#server.listen(0, "127.0.0.1");
		await once(this.#server, "listening");
		return (this.#server.address() as AddressInfo).port;
	}

	close(): void {
		this.#server.close();
	}

	/** Ends the connections that there are; to the broker behind everything that was passed on to it. */
	breakAll(): void {
		for (const [node, broker] of this.#pairs) broker.end(() => node.destroy());
	}

	/**
	 * Repeats an exchange with the cut one byte later each time, until it ends before the cut.
	 * @param exchange receives the name of the cut, and may take any number of connections
	 * @param step bytes from cut to cut
	 */
	async cutEverywhere(exchange: (name: string) => Promise<void>, step = 1): Promise<void> {
		let offset = 0;
		do {
			offset += step;
			this.budget = offset;
			await exchange(`${this.direction} ${offset}`);
		} while (this.budget > offset);
		this.budget = Number.POSITIVE_INFINITY;
		if (offset <= MINIMUM_BYTES) throw new Error(`only ${offset - 1} bytes ${this.direction}`);
	}

	#relay(node: Socket, broker: Socket): void {
		this.#pairs.set(node, broker);
		node.on("close", () => this.#pairs.delete(node));
		for (const [from, to, direction] of [
			[node, broker, "to the broker"],
			[broker, node, "to the client"],
		] as const) {
			from.setNoDelay(true);
			from.on("error", () => {});
			from.on("close", () => to.destroy());
			from.on("data", (data) => {
				if (direction !== this.direction) {
					to.write(data);
					return;
				}
				const part = data.subarray(0, this.budget);
				this.budget -= part.length;
				if (this.budget > 0) to.write(part);
				else {
					this.budget = Number.POSITIVE_INFINITY;
					to.write(part, () => {
						this.onCut();
						to.end(() => from.destroy());
					});
				}
			});
		}
	}
}
