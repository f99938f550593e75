import type { DatagramHandler, HostDatagrams, HostListener, HostNetwork, HostSocket } from "./socket";

/** A device on the virtual network whose listeners also accept from this machine's network. */
export class GatewayNetwork implements HostNetwork {
	readonly #virtual: HostNetwork;
	readonly #real: HostNetwork;

	constructor(virtual: HostNetwork, real: HostNetwork) {
		this.#virtual = virtual;
		this.#real = real;
	}

	get up(): boolean {
		return this.#virtual.up;
	}

	set up(up: boolean) {
		this.#virtual.up = up;
	}

	connect(address: string, port: number): HostSocket {
		return this.#virtual.connect(address, port);
	}

	listen(port: number, readable: (count: number) => void): HostListener {
		return new GatewayListener(this.#virtual.listen(port, readable), this.#real.listen(port, readable));
	}

	openDatagrams(port: number, received: DatagramHandler): HostDatagrams {
		return this.#virtual.openDatagrams!(port, received);
	}

	resolve(name: string, callback: (address: string | undefined) => void): void {
		this.#virtual.resolve(name, callback);
	}

	reset(): void {
		this.#virtual.reset();
		this.#real.reset();
	}
}

class GatewayListener implements HostListener {
	readonly #virtual: HostListener;
	readonly #real: HostListener;

	constructor(virtual: HostListener, real: HostListener) {
		this.#virtual = virtual;
		this.#real = real;
	}

	get port(): number {
		return this.#virtual.port;
	}

	accept(): HostSocket | undefined {
		return this.#virtual.accept() ?? this.#real.accept();
	}

	close(): void {
		this.#virtual.close();
		this.#real.close();
	}
}
