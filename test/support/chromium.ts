import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";

/** Whether Chromium is installed; CI installs it. */
export const chromiumInstalled: boolean = spawnSync("chromium", ["--version"]).status === 0;

/** For `describe` and `test`: the reason to skip them. CI skips none. */
export const skipWithoutChromium: string | false =
	chromiumInstalled || process.env.FIREFLY_REQUIRE_PEERS ? false : "chromium is not installed";

const flags = [
	"--headless",
	"--no-sandbox",
	"--disable-gpu",
	"--disable-quic",
	"--disable-dev-shm-usage",
	"--no-first-run",
	"--disable-background-networking",
	"--disable-component-update",
	"--disable-sync",
	"--disable-extensions",
	"--remote-debugging-pipe",
];

interface DevToolsMessage {
	readonly id?: number;
	readonly method?: string;
	readonly params?: unknown;
	readonly sessionId?: string;
	readonly result?: unknown;
	readonly error?: { readonly message: string };
}

/** A headless Chromium with one page, controlled by the DevTools protocol over a pipe. */
export class Chromium {
	/** Console output of pages, and uncaught exceptions. */
	readonly console: string[] = [];
	readonly #process: ChildProcess;
	readonly #directory: string;
	readonly #waiting = new Map<number, (answer: DevToolsMessage) => void>();
	/** Documents that have been loaded. */
	readonly #loaded = new Set<string>();
	#onLoaded: () => void = () => {};
	#last = 0;
	#session: string | undefined;

	private constructor(directory: string) {
		this.#directory = directory;
		this.#process = spawn("chromium", [...flags, `--user-data-dir=${directory}`, "about:blank"], {
			stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
		});
		let rest = "";
		(this.#process.stdio[4] as Readable).setEncoding("utf8").on("data", (text: string) => {
			const messages = (rest + text).split("\0");
			rest = messages.pop() ?? "";
			for (const message of messages) this.#receive(JSON.parse(message) as DevToolsMessage);
		});
		this.#process.on("exit", () => {
			for (const answer of this.#waiting.values()) answer({ error: { message: "Chromium has ended" } });
		});
	}

	static async start(): Promise<Chromium> {
		const chromium = new Chromium(await mkdtemp(join(tmpdir(), "chromium-")));
		const { targetId } = await chromium.#call<{ targetId: string }>("Target.createTarget", {
			url: "about:blank",
		});
		const { sessionId } = await chromium.#call<{ sessionId: string }>("Target.attachToTarget", {
			targetId,
			flatten: true,
		});
		chromium.#session = sessionId;
		for (const domain of ["Page", "Runtime", "Log"]) await chromium.#call(`${domain}.enable`);
		await chromium.#call("Page.setLifecycleEventsEnabled", { enabled: true });
		return chromium;
	}

	/** Opens a page and waits until it is loaded. */
	async open(url: string): Promise<void> {
		const { errorText, loaderId = "" } = await this.#call<{ errorText?: string; loaderId?: string }>(
			"Page.navigate",
			{ url },
		);
		if (errorText !== undefined) throw new Error(`${url}: ${errorText}`);
		while (!this.#loaded.has(loaderId))
			await new Promise<void>((resolve) => {
				this.#onLoaded = resolve;
			});
	}

	/** Evaluates an expression in the page and returns its value; a promise is awaited. */
	async evaluate<Value>(expression: string): Promise<Value> {
		const { result, exceptionDetails } = await this.#call<{
			result: { value: Value };
			exceptionDetails?: { exception?: { description?: string }; text: string };
		}>("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
		if (exceptionDetails !== undefined)
			throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
		return result.value;
	}

	/** Shows pages on a screen of this size, in CSS pixels, as people with this preference see them. */
	async emulate(width: number, height: number, scheme: "light" | "dark"): Promise<void> {
		await this.#call("Emulation.setDeviceMetricsOverride", {
			width,
			height,
			deviceScaleFactor: 1,
			mobile: width < 600,
		});
		await this.#call("Emulation.setEmulatedMedia", {
			features: [{ name: "prefers-color-scheme", value: scheme }],
		});
	}

	/** The screen as PNG. */
	async screenshot(): Promise<Buffer> {
		const { data } = await this.#call<{ data: string }>("Page.captureScreenshot", { format: "png" });
		return Buffer.from(data, "base64");
	}

	/** Adds a header field to all requests; for a login, what a person would type into the browser's dialog. */
	async sendHeaders(headers: Readonly<Record<string, string>>): Promise<void> {
		await this.#call("Network.enable");
		await this.#call("Network.setExtraHTTPHeaders", { headers });
	}

	async stop(): Promise<void> {
		if (this.#process.exitCode === null && this.#process.signalCode === null) {
			const ended = new Promise((resolve) => this.#process.once("exit", resolve));
			this.#session = undefined;
			this.#call("Browser.close").catch(() => {});
			await ended;
		}
		// Its other processes may write there until they have ended, too.
		await rm(this.#directory, { recursive: true, force: true, maxRetries: 50, retryDelay: 50 });
	}

	async #call<Result>(method: string, params: object = {}): Promise<Result> {
		const id = ++this.#last;
		const answer = await new Promise<DevToolsMessage>((resolve) => {
			this.#waiting.set(id, resolve);
			const session = this.#session === undefined ? {} : { sessionId: this.#session };
			(this.#process.stdio[3] as Writable).write(`${JSON.stringify({ id, method, params, ...session })}\0`);
		});
		this.#waiting.delete(id);
		if (answer.error !== undefined) throw new Error(`${method}: ${answer.error.message}`);
		return answer.result as Result;
	}

	#receive(answer: DevToolsMessage): void {
		const { id, method = "", params } = answer;
		if (id !== undefined) this.#waiting.get(id)?.(answer);
		else if (
			/^(Runtime\.(consoleAPICalled|exceptionThrown)|Log\.entryAdded|Page\.javascriptDialogOpening)$/.test(
				method,
			)
		)
			this.console.push(JSON.stringify(params));
		else if (method === "Page.lifecycleEvent") {
			// The load of an earlier document, such as the first, may be told late.
			const { name, loaderId } = params as { readonly name: string; readonly loaderId: string };
			if (name !== "load") return;
			this.#loaded.add(loaderId);
			this.#onLoaded();
		}
	}
}
