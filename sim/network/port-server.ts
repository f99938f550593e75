import net from "node:net";

/** The loopback addresses of this machine. */
export const LOOPBACKS: readonly string[] = ["127.0.0.1", "::1"];

/** Attempts to find a port that is free on all addresses, if the machine chooses it. */
const MAX_ATTEMPTS = 8;
/** Errors of a machine, or a container, without IPv6. */
const ABSENT_ADDRESS = new Set(["EADDRNOTAVAIL", "EAFNOSUPPORT"]);

export interface PortServerOptions {
	/** 0 lets the machine choose. */
	readonly port: number;
	/** Those after the first are left out if the machine does not have them. Undefined: all addresses. */
	readonly addresses: readonly string[] | undefined;
	/** Connections are accepted. @param addresses those in use */
	listening(port: number, addresses: readonly string[] | undefined): void;
	failed(error: Error): void;
}

/** Lets a server accept connections at one port of several addresses. */
export class PortServer {
	readonly #server: net.Server;
	readonly #options: PortServerOptions;
	readonly #serverOptions: net.ServerOpts;
	/** Servers of the further addresses, which pass their connections on. */
	#others: net.Server[] = [];
	#attempts = 0;
	#closed = false;

	/** @param serverOptions those of the server */
	constructor(server: net.Server, serverOptions: net.ServerOpts, options: PortServerOptions) {
		this.#server = server;
		this.#serverOptions = serverOptions;
		this.#options = options;
		server.on("error", (error) => this.#fail(error));
		server.on("listening", () => this.#onListening());
		this.#listen();
	}

	/** Undefined until it accepts connections at the first address. */
	get port(): number | undefined {
		const address = this.#server.address();
		return address !== null && typeof address === "object" ? address.port : undefined;
	}

	close(): void {
		this.#closed = true;
		this.#server.close();
		for (const server of this.#others) server.close();
	}

	#listen(): void {
		const { port, addresses } = this.#options;
		this.#attempts++;
		this.#server.listen({ port, ...(addresses === undefined ? {} : { host: addresses[0] }) });
	}

	#onListening(): void {
		const port = this.port;
		if (this.#closed || port === undefined) return;
		const { addresses } = this.#options;
		if (addresses === undefined) this.#options.listening(port, undefined);
		else this.#listenOnNext(port, addresses.slice(0, 1), addresses.slice(1));
	}

	#listenOnNext(port: number, open: readonly string[], [host, ...rest]: readonly string[]): void {
		if (this.#closed) return;
		if (host === undefined) {
			this.#options.listening(port, open);
			return;
		}
		const server = net.createServer(this.#serverOptions, (socket) => this.#server.emit("connection", socket));
		const onOpeningError = (error: NodeJS.ErrnoException): void => {
			if (ABSENT_ADDRESS.has(error.code ?? "")) this.#listenOnNext(port, open, rest);
			else if (error.code === "EADDRINUSE" && this.#options.port === 0 && this.#attempts < MAX_ATTEMPTS)
				this.#restart();
			else this.#fail(error);
		};
		server.once("error", onOpeningError);
		server.listen({ port, host, ipv6Only: true }, () => {
			server.off("error", onOpeningError);
			server.on("error", (error) => this.#fail(error));
			this.#others.push(server);
			if (this.#closed) server.close();
			else this.#listenOnNext(port, [...open, host], rest);
		});
	}

	/** Gives up what is open already, too: half a server would keep its port, and the process alive. */
	#fail(error: Error): void {
		this.close();
		this.#options.failed(error);
	}

	/** Lets the machine choose another port. */
	#restart(): void {
		for (const server of this.#others.splice(0)) server.close();
		this.#server.close(() => {
			if (!this.#closed) this.#listen();
		});
	}
}
