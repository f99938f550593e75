import type { TCPConstructor } from "../device";
import { WebSocketContext, type WebSocketOptions } from "./context";
import { WebSocketStream } from "./stream";

export type { WebSocketOptions } from "./context";
export type { HttpRequest } from "./http-request";
export type { Pages, Reply } from "./pages";

/**
 * MQTT over WebSocket (RFC 6455, subprotocol `mqtt`), the server's side, as a kind of TCP socket:
 *
 *     const webSocket = new WebSocketServer({ tcp: device.tcp.io, size: packetSize, origins, hosts, pages });
 *     const listener = new device.listener.io({ port, onReadable: () => { const socket = new webSocket.io({
 *     from: listener.read(), onReadable, onWritable, onError }); } });
 *
 * Whoever reads MQTT from a `TCP` reads it from such a socket unchanged. It answers the HTTP request that a
 * connection begins with; `onWritable` comes first when that was a WebSocket for MQTT. Anything else is
 * answered and ends in `onError`, as does what breaks RFC 6455. How long a peer may take for its request, or
 * to read a page, is for the user to limit, by closing.
 *
 * Memory: one buffer for all streams (`size`, 512 to 16,384 bytes), and a store of `size` bytes, at least
 * 512, for each stream whose request is not answered yet or that holds a part of a packet whose other parts
 * come in other frames. One store is kept for the next; nothing else is allocated once a stream is open.
 * Limits: constants.ts.
 */
export class WebSocketServer {
	/** Takes over sockets from a listener, by `from`. */
	readonly io: TCPConstructor;

	/** @throws {RangeError} for origins or hosts that are not well-formed Unicode */
	constructor(options: WebSocketOptions) {
		const context = new WebSocketContext(options);
		this.io = class extends WebSocketStream {
			constructor(options: ConstructorParameters<TCPConstructor>[0]) {
				super(context, options);
			}
		};
	}
}
