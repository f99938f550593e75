import type { Datagram, UDP, UDPOptions } from "../../src/device";

/** A UDP socket whose peer is the test. */
export class FakeUDP implements UDP {
	readonly sent: { bytes: Uint8Array; address: string; port: number }[] = [];
	closed = false;
	/** Of the peer. */
	protected readonly port: number = 123;
	#received: Uint8Array[] = [];
	#onReadable: UDPOptions["onReadable"];

	constructor({ onReadable }: UDPOptions) {
		this.#onReadable = onReadable;
	}

	/** A datagram arrives. */
	receive(bytes: Uint8Array): void {
		if (this.closed) return;
		this.#received.push(bytes);
		this.#onReadable(this.#received.length);
	}

	read(): Datagram | undefined {
		if (this.closed) throw new Error("invalid host data");
		const bytes = this.#received.shift();
		return bytes && Object.assign(bytes.slice().buffer, { address: "10.9.9.9", port: this.port });
	}

	write(bytes: Uint8Array, address: string, port: number): void {
		if (this.closed) throw new Error("invalid host data");
		this.sent.push({ bytes: bytes.slice(), address, port });
	}

	close(): void {
		this.closed = true;
	}
}
