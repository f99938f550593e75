import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { projectFolder } from "../../sim/cache/folder.mjs";
import { Failure } from "../failure";
import { firmwareLine, isReady } from "../moddable/console";
import { freePort } from "../moddable/ports";
import { type ModdableSDK, toolPath } from "../moddable/sdk";

/** Folder of Firefly's device for mcsim. */
const PANEL = join(projectFolder, "sim", "mcsim");

export interface SimulatorOptions {
	readonly sdk: ModdableSDK;
	/** What {@link ../moddable/mcconfig} has built. */
	readonly library: string;
	readonly environment: NodeJS.ProcessEnv;
	/** Prints a line of the firmware. */
	readonly print: (line: string) => void;
	/** Ends the simulator. */
	readonly signal: AbortSignal;
}

/** Time, in ms, after which a program that was asked to end is ended: mcsim may be at a breakpoint. */
const KILL_DELAY_MS = 2000;

/**
 * Runs mcsim until its window is closed, and beside it the SDK's xsbug-log, which reads the firmware's
 * console.
 * @returns the exit code of mcsim; 0 if it was interrupted
 * @throws {Failure} if xsbug-log cannot run
 */
export async function runSimulator(options: SimulatorOptions): Promise<number> {
	const { sdk, library, environment, print, signal } = options;
	const folder = join(sdk.root, "tools", "xsbug-log");
	if (!existsSync(join(folder, "node_modules")))
		throw new Failure(`the SDK's xsbug-log lacks its modules: npm install in ${folder}`);
	// mcsim copies what it runs into its folder of settings: each has one of its own.
	const home = mkdtempSync(join(tmpdir(), "firefly-mcsim-"));
	const port = String(await freePort());
	const env = {
		...environment,
		MODDABLE: sdk.root,
		XSBUG_HOST: "127.0.0.1",
		XSBUG_PORT: port,
		XSBUG_LOG_PORT: port,
		XSBUG_PROJECT: home,
		XDG_CONFIG_HOME: home,
		// On the session's bus, a second mcsim would only hand its files to the first.
		DBUS_SESSION_BUS_ADDRESS: "disabled:",
		// The first start, too, waits for the panel, however late it is: firmware/desktop/panel-presence.c.
		FIREFLY_PANEL: "1",
	};
	const children: ChildProcess[] = [];
	const stop = (): void => {
		for (const child of children) end(child);
	};
	signal.addEventListener("abort", stop);
	try {
		const log = spawn(process.execPath, [join(folder, "xsbug-log.js")], {
			env,
			stdio: ["pipe", "pipe", "inherit"],
		});
		children.push(log);
		await new Promise<void>((resolve, reject) => {
			log.once("error", reject);
			log.once("close", () => reject(new Failure("the SDK's xsbug-log has ended")));
			createInterface({ input: log.stdout }).on("line", (line) => {
				if (isReady(line)) resolve();
				const text = firmwareLine(line);
				if (text !== undefined) print(text);
			});
		});
		if (signal.aborted) return 0;
		const simulator = spawn(toolPath(sdk.tools, "mcsim", sdk.platform), [PANEL, library], {
			env,
			stdio: ["ignore", "ignore", "inherit"],
		});
		children.push(simulator);
		const code = await new Promise<number | null>((resolve, reject) => {
			simulator.once("error", reject);
			simulator.once("close", resolve);
		});
		return signal.aborted ? 0 : (code ?? 1);
	} finally {
		signal.removeEventListener("abort", stop);
		stop();
		rmSync(home, { recursive: true, force: true });
	}
}

/** Ends a program that was started here. */
function end(child: ChildProcess): void {
	if (child.exitCode !== null || child.signalCode !== null) return;
	child.kill();
	const timer = setTimeout(() => child.kill("SIGKILL"), KILL_DELAY_MS);
	child.once("close", () => clearTimeout(timer));
}
