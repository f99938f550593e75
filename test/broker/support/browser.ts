import type { NetworkPeer } from "../../support/network-peer";
import { parseFrames } from "../../websocket/support/frames";
import type { SimulatedHost } from "./simulated-host";

/** The port of the status page in these tests. */
export const WEB_PORT = 8080;

/** Time within which a page has to arrive, ms. */
const PAGE_TIMEOUT_MS = 20;

/** HTTP client of the broker's status page and WebSocket port. */
export class Browser {
	readonly host: SimulatedHost;
	readonly socket: NetworkPeer;
	closed = false;
	#received = "";

	/** @param address of the browser */
	constructor(host: SimulatedHost, address?: string) {
		this.host = host;
		this.socket = host.connect(WEB_PORT, address);
		this.socket.onData = (bytes) => {
			this.#received += Buffer.from(bytes).toString("latin1");
		};
		this.socket.onEnd = () => {
			this.closed = true;
		};
		host.run();
	}

	/** Requests a page and waits for it. */
	get(path = "/", fields: Readonly<Record<string, string>> = {}): this {
		this.request(path, fields);
		this.host.advance(PAGE_TIMEOUT_MS);
		return this;
	}

	/** Requests a page and runs the host without advancing its clock. */
	request(path = "/", fields: Readonly<Record<string, string>> = {}): this {
		const lines = [`GET ${path} HTTP/1.1`];
		for (const [name, value] of Object.entries({ Host: "192.168.1.10:8080", ...fields }))
			lines.push(`${name}: ${value}`);
		return this.send(Buffer.from(`${lines.join("\r\n")}\r\n\r\n`));
	}

	send(bytes: Uint8Array): this {
		this.socket.write(bytes);
		this.host.run();
		return this;
	}

	/** Reads the available bytes although the socket is frozen. */
	read(): this {
		this.socket.read();
		this.host.advance(PAGE_TIMEOUT_MS);
		return this;
	}

	/** The frames that followed the response to an upgrade request. */
	get frames(): ReturnType<typeof parseFrames> {
		const bytes = Buffer.from(this.#received, "latin1");
		return parseFrames(bytes.subarray(bytes.indexOf("\r\n\r\n") + 4));
	}

	/** Payload of the binary ones. */
	get packets(): Buffer {
		return Buffer.concat(this.frames.filter(({ opcode }) => opcode === 2).map(({ payload }) => payload));
	}

	/** The whole response. */
	get answer(): string {
		return Buffer.from(this.#received, "latin1").toString();
	}

	get status(): number {
		return Number(/^HTTP\/1.1 (\d+) /.exec(this.#received)?.[1] ?? 0);
	}

	/** The page without the HTTP header. */
	get page(): string {
		return this.answer.slice(this.answer.indexOf("\r\n\r\n") + 4);
	}

	/** Rows of the page: topic, value and time. */
	get rows(): string[][] {
		return [
			...this.page.matchAll(/<tr><th scope=row>(.*?)<td><b>(.*?)<\/b><td>(.*?)(?=<tr>|<\/table>|$)/gs),
		].map((row) => row.slice(1).map(textOf));
	}
}

/** The text of markup without attributes. */
function textOf(markup: string): string {
	return markup
		.replace(/<[^>]*>/g, " ")
		.replaceAll("&lt;", "<")
		.replaceAll("&gt;", ">")
		.replaceAll("&amp;", "&");
}

/** Header field with the credentials of a request. */
export function basicAuthorization(user: string, password: string): Record<string, string> {
	return { Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}` };
}
