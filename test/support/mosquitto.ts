import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

// Debian installs it outside the PATH of users.
const env = {
	...process.env,
	PATH: `${process.env.PATH ?? ""}${delimiter}/usr/sbin${delimiter}/usr/local/sbin`,
};

/** Whether mosquitto is installed; CI installs it. */
export const mosquittoInstalled: boolean = spawnSync("mosquitto", ["-h"], { env }).error === undefined;

/** Finds a free TCP port of the loopback interface. */
export function freePort(): Promise<number> {
	return new Promise((resolve, reject) => {
		const server = createServer();
		server.on("error", reject);
		server.listen(0, "127.0.0.1", () => {
			const address = server.address();
			server.close(() => resolve(address !== null && typeof address === "object" ? address.port : 0));
		});
	});
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
	 * @param port by default a free one
	 */
	static async start(
		settings: readonly string[] = ["allow_anonymous true"],
		port?: number,
	): Promise<Mosquitto> {
		const chosen = port ?? (await freePort());
		const directory = await mkdtemp(join(tmpdir(), "mosquitto-"));
		const file = join(directory, "mosquitto.conf");
		await writeFile(
			file,
			[`listener ${chosen} 127.0.0.1`, "set_tcp_nodelay true", ...settings, ""].join("\n"),
		);
		const child = spawn("mosquitto", ["-c", file], { env, stdio: "ignore" });
		const broker = new Mosquitto(chosen, child, directory);
		for (let tries = 0; !(await listening(chosen)); tries++) {
			if (child.exitCode !== null || tries > 200) {
				await broker.stop();
				throw new Error("mosquitto did not start");
			}
			await new Promise((resolve) => setTimeout(resolve, 20));
		}
		return broker;
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

function listening(port: number): Promise<boolean> {
	return new Promise((resolve) => {
		const socket = connect(port, "127.0.0.1");
		socket.on("connect", () => {
			socket.destroy();
			resolve(true);
		});
		socket.on("error", () => resolve(false));
	});
}
