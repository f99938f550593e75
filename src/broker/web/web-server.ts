import type { TCPConstructor } from "../../device";
import { WebSocketServer } from "../../websocket/server";
import type { Core } from "../core/core";
import { BrokerPages } from "./broker-pages";

/** The broker's second port: MQTT over WebSocket, and the status page. */
export class WebServer {
	/** TCP class for the connections of that port. */
	readonly io: TCPConstructor;
	readonly pages: BrokerPages;

	/** @param name shown on the page */
	constructor(core: Core, name: string) {
		const { host, settings, counters, reader } = core;
		this.pages = new BrokerPages(core, name);
		this.io = new WebSocketServer({
			tcp: host.tcp.io,
			timer: host.timer,
			turn: reader,
			size: settings.packetSize,
			origins: settings.origins,
			hosts: settings.hosts,
			pages: this.pages,
			onRefused: () => {
				counters.requestsRefused++;
			},
			onFailed: () => {
				counters.peerFaults++;
			},
			onException: (error) => {
				counters.internalErrors++;
				host.trace(`broker: ${error}`);
			},
		}).io;
	}
}
