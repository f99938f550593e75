import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { freePort } from "../../test/support/mosquitto";
import { BenchClient } from "./bench-client";
import { PinnedProcess } from "./process";

export interface RunningBroker {
	readonly process: PinnedProcess;
	readonly port: number;
	/**
	 * Memory in use, KiB: resident memory; on Node, whose heap includes garbage, the live memory known to V8.
	 */
	memoryKiB(): Promise<number>;
	stop(): Promise<void>;
}

export interface BrokerKind {
	readonly name: string;
	start(): Promise<RunningBroker>;
}

function path(relative: string): string {
	return fileURLToPath(new URL(relative, import.meta.url));
}

async function startOnNode(args: readonly string[]): Promise<RunningBroker> {
	const broker = new PinnedProcess(process.execPath, [
		"--expose-gc",
		"--import",
		new URL("./heap-probe.mjs", import.meta.url).href,
		...args,
	]);
	return {
		process: broker,
		port: await broker.port(),
		memoryKiB: () => broker.heapKiB(),
		stop: () => broker.stop(),
	};
}

async function startMosquitto(): Promise<RunningBroker> {
	const port = await freePort();
	const directory = mkdtempSync(join(tmpdir(), "mosquitto-"));
	const file = join(directory, "mosquitto.conf");
	const settings = [
		`listener ${port} 127.0.0.1`,
		"set_tcp_nodelay true",
		"allow_anonymous true",
		"log_dest none",
	];
	writeFileSync(file, `${settings.join("\n")}\n`);
	const process = new PinnedProcess("mosquitto", ["-c", file]);
	const stop = async (): Promise<void> => {
		await process.stop();
		rmSync(directory, { recursive: true, force: true });
	};
	for (let tries = 0; ; tries++) {
		try {
			(await BenchClient.connect(port, "first")).close();
			return { process, port, memoryKiB: async () => process.residentKiB, stop };
		} catch (error) {
			if (tries < 100) await sleep(20);
			else {
				await stop();
				throw error;
			}
		}
	}
}

/** @param nodeArgs arguments of Node for Firefly, such as --cpu-prof */
export function brokerKinds(nodeArgs: readonly string[]): readonly BrokerKind[] {
	return [
		{
			name: "firefly",
			start: () =>
				startOnNode([
					...nodeArgs,
					path("../../cli/firefly.mjs"),
					"broker",
					"--engine",
					"node",
					"--port",
					"0",
				]),
		},
		{ name: "mosquitto", start: startMosquitto },
		{ name: "aedes", start: () => startOnNode(["--import", "tsx", path("./aedes-server.ts")]) },
		{ name: "bare Node", start: () => startOnNode(["--import", "tsx", path("./bare-server.ts")]) },
	];
}
