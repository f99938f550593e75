import SDKTCP from "embedded:io/socket/tcp";
import Timer from "timer";
import type { ListenerOptions, TCP, TCPConstructor, TCPOptions, Timer as TimerShape } from "../../src/device";
import { CountedListener } from "../listener";
import { panelControls } from "./panel";
import { requireFreePort } from "./ports";

const PlainTCP = SDKTCP as unknown as TCPConstructor;
const SDKTimer = Timer as unknown as TimerShape;

/** Time, in ms, after which a connection that the panel does not allow fails. */
const REFUSAL_MS = 20;

/** Created at run time: a set of a preloaded module is read-only. */
let openSockets: Set<PanelTCP> | undefined;

/** A switch of the panel has changed: cuts the connections that it no longer allows. */
export function updateSockets(): void {
	if (openSockets === undefined) return;
	for (const socket of [...openSockets]) if (!isAllowed(socket.accepted)) socket.fail();
}

/** @param accepted whether a client opened the connection: it does not need the other broker */
function isAllowed(accepted: boolean): boolean {
	const { wifi, broker } = panelControls();
	return wifi && (broker || accepted);
}

/** A TCP socket that the panel's switches cut. */
export class PanelTCP implements TCP {
	readonly accepted: boolean;
	#socket: TCP | undefined;
	#onError: (() => void) | undefined;

	constructor(options: TCPOptions) {
		this.accepted = options.from !== undefined;
		this.#onError = options.onError;
		openSockets ??= new Set();
		openSockets.add(this);
		if (isAllowed(this.accepted)) this.#socket = new PlainTCP(options);
		else {
			options.from?.close();
			SDKTimer.set(() => this.fail(), REFUSAL_MS);
		}
	}

	get remoteAddress(): string | undefined {
		return this.#socket?.remoteAddress;
	}

	read(buffer: Uint8Array): number | undefined {
		return this.#socket?.read(buffer);
	}

	write(buffer: Uint8Array): number | undefined {
		return this.#socket?.write(buffer);
	}

	close(): void {
		this.#onError = undefined;
		this.#cut();
	}

	/** Ends the connection as if the network had. */
	fail(): void {
		const onError = this.#onError;
		this.#onError = undefined;
		this.#cut();
		onError?.();
	}

	#cut(): void {
		openSockets?.delete(this);
		this.#socket?.close();
		this.#socket = undefined;
	}
}

/** The SDK's listener. */
export class PanelListener extends CountedListener {
	/** @throws if the port is in use */
	constructor(options: ListenerOptions) {
		requireFreePort(options.port);
		super(options);
	}
}
