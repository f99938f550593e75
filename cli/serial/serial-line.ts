import { spawnSync } from "node:child_process";
import { closeSync, constants, existsSync, openSync, writeSync } from "node:fs";
import { ReadStream } from "node:tty";
import { Failure } from "../failure";

/** Interval, in ms, at which a port that has vanished is looked for. */
const LOOK_MS = 200;
/** Raw bytes, no control lines: closing the port must not reset the board. */
const MODES = ["raw", "-echo", "-hupcl", "clocal", "cread", "cs8", "-cstopb", "-parenb", "-crtscts"];

export interface SerialLineHandler {
	onBytes(bytes: Uint8Array): void;
	/** The port has vanished: chips with a USB of their own take it with them into deep sleep. */
	onLost(): void;
	/** It is back. */
	onBack(): void;
}

/** A serial port that is read until it is closed, over any number of times that it vanishes. */
export class SerialLine {
	readonly #port: string;
	readonly #baud: number;
	readonly #handler: SerialLineHandler;
	#fd: number | undefined;
	#stream: ReadStream | undefined;
	#timer: NodeJS.Timeout | undefined;

	/** @throws {Failure} if the port cannot be opened */
	constructor(port: string, baud: number, handler: SerialLineHandler) {
		this.#port = port;
		this.#baud = baud;
		this.#handler = handler;
		this.#open();
	}

	/** Sends text to the board, if the port is there and takes it at once. */
	send(text: string): void {
		if (this.#fd === undefined) return;
		try {
			writeSync(this.#fd, text);
		} catch {
			// The board asks again, or goes on by itself.
		}
	}

	close(): void {
		clearInterval(this.#timer);
		this.#release();
	}

	#open(): void {
		let fd: number;
		try {
			fd = openSync(this.#port, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
		} catch (error) {
			throw new Failure(`${this.#port} cannot be opened: ${openError(error)}`);
		}
		const { status, stderr, error } = spawnSync("stty", [String(this.#baud), ...MODES], {
			stdio: [fd, "ignore", "pipe"],
			encoding: "utf8",
		});
		if (status !== 0) {
			closeSync(fd);
			throw new Failure(`stty cannot set up ${this.#port}: ${error?.message ?? stderr.trim()}`);
		}
		const stream = new ReadStream(fd);
		this.#fd = fd;
		this.#stream = stream;
		stream.on("data", (bytes: Uint8Array) => this.#handler.onBytes(bytes));
		stream.on("error", () => this.#lose(stream));
		stream.on("end", () => this.#lose(stream));
		stream.on("close", () => this.#lose(stream));
	}

	#lose(stream: ReadStream): void {
		if (stream !== this.#stream) return;
		this.#release();
		this.#handler.onLost();
		this.#timer = setInterval(() => this.#look(), LOOK_MS);
	}

	#look(): void {
		if (!existsSync(this.#port)) return;
		try {
			this.#open();
		} catch {
			// The system is still setting it up.
			return;
		}
		clearInterval(this.#timer);
		this.#handler.onBack();
	}

	#release(): void {
		const stream = this.#stream;
		this.#fd = undefined;
		this.#stream = undefined;
		stream?.destroy();
	}
}

function openError(error: unknown): string {
	const { code, message } = error as NodeJS.ErrnoException;
	return code === "EBUSY" ? "another program has it" : message;
}
