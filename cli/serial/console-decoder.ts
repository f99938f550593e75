const PREFIX = /^<\?xs[.\-#]([\dA-F]{8})\?>/;
const MESSAGE = /^<xsbug>(.*)<\/xsbug>$/s;
const LOG = /<log[^>]*>(.*?)<\/log>/s;
const STOPPED = /<break path="([^"]*)" line="(\d+)"[^>]*>(.*?)<\/break>/s;
const ENTITIES: Readonly<Record<string, string>> = { "&lt;": "<", "&gt;": ">", "&amp;": "&", "&quot;": '"' };
/** Longest line, in characters; the rest begins another one. */
const MAX_LINE = 4096;

/**
 * Makes lines of the bytes of a board's console. An image with a console prints text. A build for the
 * debugger (mcconfig -d) speaks the protocol of the SDK's xsbug: its log is read, and whenever it waits for
 * the debugger it is told to go on.
 */
export class ConsoleDecoder {
	readonly #onLine: (line: string) => void;
	readonly #reply: (text: string) => void;
	readonly #text = new TextDecoder();
	#rest = "";
	/** The log comes in parts. */
	#log = "";

	/** @param reply sends to the board */
	constructor(onLine: (line: string) => void, reply: (text: string) => void) {
		this.#onLine = onLine;
		this.#reply = reply;
	}

	push(bytes: Uint8Array): void {
		const parts = (this.#rest + this.#text.decode(bytes, { stream: true })).split(/\r*\n|\r(?=<\?xs)/);
		this.#rest = parts.pop() ?? "";
		if (this.#rest.length > MAX_LINE) {
			parts.push(this.#rest);
			this.#rest = "";
		}
		for (const part of parts) this.#decode(part);
	}

	#decode(line: string): void {
		const prefix = PREFIX.exec(line);
		const content = prefix === null ? line : line.slice(prefix[0].length);
		const message = MESSAGE.exec(content.trim());
		if (message === null) {
			if (content !== "") this.#onLine(printable(content));
			return;
		}
		const log = LOG.exec(message[1]!);
		if (log !== null) this.#addLog(unescapeText(log[1]!));
		const stopped = STOPPED.exec(message[1]!);
		if (stopped !== null)
			this.#onLine(`stopped at ${stopped[1]}:${stopped[2]}: ${unescapeText(stopped[3]!).trim()}`);
		if ((stopped !== null || message[1]!.includes("<login ")) && prefix !== null)
			this.#reply(`\r\n<?xs.${prefix[1]}?>\r\n<go/>\r\n`);
	}

	#addLog(text: string): void {
		const parts = (this.#log + text).split("\n");
		this.#log = parts.pop() ?? "";
		for (const part of parts) this.#onLine(printable(part));
	}
}

function unescapeText(text: string): string {
	return text.replaceAll(/&#(\d+);|&(?:lt|gt|amp|quot);/g, (entity, code: string | undefined) =>
		code === undefined ? ENTITIES[entity]! : String.fromCodePoint(Number(code)),
	);
}

/** Without what a terminal would obey: bytes of another speed, escape sequences. */
function printable(text: string): string {
	// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is replaced
	return text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "\ufffd");
}
