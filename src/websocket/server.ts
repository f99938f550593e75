import type { TCPConstructor } from "../device";
import { WebSocketContext, type WebSocketOptions } from "./context";
import { WebSocketStream } from "./stream";

export type { WebSocketOptions } from "./context";
export type { HttpRequest } from "./http-request";
export type { Pages, Reply } from "./pages";

/**
 * Server side of MQTT over WebSocket (RFC 6455, subprotocol `mqtt`), in the shape of a TCP socket:
 *
 *     const webSocket = new WebSocketServer({ tcp: device.tcp.io, size: packetSize, origins, hosts, pages });
 *     const listener = new device.listener.io({
 *       port,
 *       onReadable: () => {
 *         const socket = new webSocket.io({ from: listener.read(), onReadable, onWritable, onError });
 *       },
 *     });
 *
 * Code that reads MQTT from a `TCP` works with such a socket unchanged. The socket answers the first HTTP
 * request of a connection; if that opens a WebSocket for MQTT, `onWritable` is called first. Any other
 * request is answered and ends in `onError`, as does a violation of RFC 6455. The user must limit the time
 * that a peer takes to send its request or to read a page, by closing the socket.
 *
 * Memory: one buffer for all streams (`size`, 512 to 16,384 bytes), and a store of `size` bytes, at least
 * 512, for each stream whose request is not answered yet or that holds part of a packet that spans frames.
 * One unused store is kept; nothing else is allocated once a stream is open. Limits: constants.ts.
 */
export class WebSocketServer {
	/** Socket class that takes over sockets from a listener, by `from`. */
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
