import { NO_PLACE_TRACE } from "../../../src/broker/delivery/router";
import type { NetworkPeer } from "../../support/network-peer";
import { SimulatedHost } from "./simulated-host";

/** Less than the longest packet of the mutating clients, bytes: those arrive in parts. */
const RECEIVE_WINDOW = 1024;
/** Bytes that a client's socket takes before the broker reads. */
const CLIENT_SEND_ROOM = 256;
/** Of the mutating clients, which are on one host. */
const MUTATING_ADDRESS = "10.0.0.1";

/** The broker's host with narrow sockets, where a reset discards what is unread and a trace is an error. */
export class FuzzHost extends SimulatedHost {
	readonly newViews = true;
	#referenceClients = 0;

	constructor() {
		super();
		this.lingeringClose = false;
		this.server.receiveWindow = RECEIVE_WINDOW;
		this.server.discardsOnReset = true;
	}

	override trace(message: string): void {
		if (message.startsWith(NO_PLACE_TRACE) || message.startsWith("broker: closed ")) return;
		throw new Error(`trace: ${message}`);
	}

	override connect(port: number, address = MUTATING_ADDRESS): NetworkPeer {
		this.clientHost(address).sendRoom = CLIENT_SEND_ROOM;
		return super.connect(port, address);
	}

	/** Opens a connection from a host of its own. */
	connectAlone(port: number): NetworkPeer {
		return this.connect(port, `10.0.0.${2 + (this.#referenceClients++ % 250)}`);
	}
}
