import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

// Debian installs it outside the PATH of users.
const env = {
	...process.env,
	PATH: `${process.env.PATH ?? ""}${delimiter}/usr/sbin${delimiter}/usr/local/sbin`,
};

/** Whether mosquitto is installed; CI installs it. */
export const mosquittoInstalled: boolean = spawnSync("mosquitto", ["-h"], { env }).error === undefined;

/** Ports below those that systems take for outgoing connections (Linux: 32768 and above). */
const FIRST_PORT = 10_000;
const LAST_PORT = 32_000;
/** What {@link freePort} has looked at before: it may not be in use yet, or not for the moment. */
const foundPorts = new Set<number>();
/** Ports tried by {@link Mosquitto.start}: another program may take one first. */
const MAX_ATTEMPTS = 10;

/**
 * Finds a free TCP port of the loopback interface, another one each time. No outgoing connection takes it, so
 * a server that was stopped finds it free again.
 */
export async function freePort(): Promise<number> {
	for (;;) {
		const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT));
		if (foundPorts.has(port)) continue;
		foundPorts.add(port);
		const server = createServer();
		const opened = new Promise<boolean>((resolve) => {
			server.once("error", () => resolve(false));
			server.listen(port, "127.0.0.1", () => resolve(true));
		});
		if (!(await opened)) continue;
		server.close();
		await once(server, "close");
		return port;
	}
}

/** A mosquitto process on the loopback interface. */
export class Mosquitto {
	readonly port: number;
	readonly process: ChildProcess;
	#directory: string;

	private constructor(port: number, process: ChildProcess, directory: string) {
		this.port = port;
		this.process = process;
		this.#directory = directory;
	}

	/**
	 * @param settings lines of mosquitto.conf; by default all clients are allowed
	 * @param fixedPort port of one that was stopped; by default a free one
	 */
	static async start(
		settings: readonly string[] = ["allow_anonymous true"],
		fixedPort?: number,
	): Promise<Mosquitto> {
		for (let attempt = 1; ; attempt++) {
			const port = fixedPort ?? (await freePort());
			const directory = await mkdtemp(join(tmpdir(), "mosquitto-"));
			const file = join(directory, "mosquitto.conf");
			const log = [
				"log_dest stderr",
				...["error", "warning", "information"].map((type) => `log_type ${type}`),
			];
			await writeFile(
				file,
				[...log, `listener ${port} 127.0.0.1`, "set_tcp_nodelay true", ...settings, ""].join("\n"),
			);
			const child = spawn("mosquitto", ["-c", file], { env, stdio: ["ignore", "ignore", "pipe"] });
			const broker = new Mosquitto(port, child, directory);
			const output = await outputUntilRunning(child);
			if (output === undefined) return broker;
			await broker.stop();
			if (attempt === MAX_ATTEMPTS || !output.includes("Address already in use"))
				throw new Error(`mosquitto did not start: ${output}`);
		}
	}

	/** @param signal SIGKILL breaks connections without DISCONNECT */
	async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
		const { process } = this;
		if (process.exitCode === null && process.signalCode === null) {
			const ended = new Promise((resolve) => process.once("exit", resolve));
			process.kill(signal);
			await ended;
		}
		await rm(this.#directory, { recursive: true, force: true });
	}
}

/** Resolves once the process accepts connections, or with its output once it has ended. */
function outputUntilRunning(child: ChildProcess): Promise<string | undefined> {
	return new Promise((resolve) => {
		let output = "";
		child.stderr?.setEncoding("utf8").on("data", (text: string) => {
			output += text;
			if (/ running$/m.test(output)) resolve(undefined);
		});
		child.on("error", (error) => resolve(String(error)));
		child.on("close", () => resolve(output));
	});
}

/** Options of `mosquitto_sub` and `mosquitto_pub` for a broker of this machine. */
function clientArguments(port: number, args: readonly string[]): string[] {
	return ["-h", "127.0.0.1", "-p", String(port), ...args];
}

/**
 * What `mosquitto_sub` receives once its subscription is granted, until a message of `marker`, each as
 * "topic payload".
 * @param marker a topic of the subscription; one message is published to it
 * @param publisher options of `mosquitto_pub` for that
 */
export async function receiveUntil(
	marker: string,
	port: number,
	subscriber: readonly string[],
	publisher: readonly string[] = [],
): Promise<string[]> {
	const prefix = "message: ";
	// Its output to a pipe is otherwise held back until a message arrives.
	const child = spawn(
		"stdbuf",
		["-oL", "mosquitto_sub", ...clientArguments(port, subscriber), "-d", "-F", `${prefix}%t %p`],
		{ env, stdio: ["ignore", "pipe", "pipe"] },
	);
	const closed = once(child, "close");
	let output = "";
	let isMarked = false;
	const onOutput = (text: string): void => {
		output += text;
		if (!isMarked && /^Subscribed/m.test(output)) {
			isMarked = true;
			spawn("mosquitto_pub", clientArguments(port, [...publisher, "-t", marker, "-m", "marker", "-q", "1"]), {
				env,
				stdio: "ignore",
			});
		}
		// Its handler of SIGTERM may wait for ever for a lock that the interrupted thread holds.
		if (output.includes(`${prefix}${marker} marker\n`)) child.kill("SIGKILL");
	};
	child.stdout.setEncoding("utf8").on("data", onOutput);
	child.stderr.setEncoding("utf8").on("data", (text: string) => {
		output += text;
	});
	await closed;
	const messages = output
		.split("\n")
		.filter((line) => line.startsWith(prefix))
		.map((line) => line.slice(prefix.length));
	if (messages.pop() !== `${marker} marker`) throw new Error(`no marker arrived: ${output}`);
	return messages;
}
