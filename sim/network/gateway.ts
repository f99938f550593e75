import type { HostListener, HostNetwork, HostSocket } from "./socket";

/** A device on the virtual network whose listeners also accept from this machine's network. */
export class GatewayNetwork implements HostNetwork {
	readonly #inside: HostNetwork;
	readonly #outside: HostNetwork;

	constructor(inside: HostNetwork, outside: HostNetwork) {
		this.#inside = inside;
		this.#outside = outside;
	}

	get up(): boolean {
		return this.#inside.up;
	}

	set up(up: boolean) {
		this.#inside.up = up;
	}

	connect(address: string, port: number): HostSocket {
		return this.#inside.connect(address, port);
	}

	listen(port: number, readable: (count: number) => void): HostListener {
		return new GatewayListener(this.#inside.listen(port, readable), this.#outside.listen(port, readable));
	}

	resolve(name: string, callback: (address: string | undefined) => void): void {
		this.#inside.resolve(name, callback);
	}

	reset(): void {
		this.#inside.reset();
		this.#outside.reset();
	}
}

class GatewayListener implements HostListener {
	readonly #inside: HostListener;
	readonly #outside: HostListener;

	constructor(inside: HostListener, outside: HostListener) {
		this.#inside = inside;
		this.#outside = outside;
	}

	get port(): number {
		return this.#inside.port;
	}

	accept(): HostSocket | undefined {
		return this.#inside.accept() ?? this.#outside.accept();
	}

	close(): void {
		this.#inside.close();
		this.#outside.close();
	}
}
