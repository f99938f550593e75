import { Command, Option } from "commander";
import { BuildProgress } from "./build-progress";
import { openPcap, packetsOption, pcapOption } from "./capture";
import { Failure } from "./failure";
import { Interrupt } from "./interrupt";
import { portOption } from "./values";

interface BrokerOptions {
	readonly port?: number;
	readonly wsPort?: number;
	readonly config?: string;
	readonly data?: string;
	readonly engine: "xs" | "node";
	readonly packets?: true;
	readonly pcap?: string;
}

export function brokerCommand(): Command {
	return new Command("broker")
		.description("Run the broker alone, in real time, on this machine's network, until interrupted.")
		.option(
			"--port <number>",
			"TCP port; 0 lets the machine choose one (default: that of the configuration, or 1883)",
			portOption,
		)
		.option(
			"--ws-port <number>",
			"another TCP port, for MQTT over WebSocket and the status page; 0 lets the machine choose one",
			portOption,
		)
		.option(
			"--config <manifest>",
			"serve as listen of this manifest says, on all addresses (default: both loopbacks only, 127.0.0.1 and ::1, and everybody is let in)",
		)
		.option(
			"--data <directory>",
			"keep retained values and lasting sessions over restarts here (default: .firefly beside the manifest if that has listen.persist, else nowhere)",
		)
		.addOption(
			new Option(
				"--engine <name>",
				"what runs the broker: the real XS engine with a chip's memory, or Node, with far larger pools",
			)
				.choices(["xs", "node"])
				.default("xs"),
		)
		.addOption(packetsOption())
		.addOption(pcapOption())
		.action((options: BrokerOptions, command: Command) => {
			if (options.port !== undefined && options.port !== 0 && options.port === options.wsPort)
				command.error(`error: --ws-port ${options.wsPort} is --port too; each needs a port of its own`, {
					exitCode: 2,
				});
			return broker(options);
		});
}

/** Shown instead of all addresses of the machine. */
const ALL_ADDRESSES = ["127.0.0.1"];

/** An address as the host of a URL. */
function hostOf(address: string): string {
	return address.includes(":") ? `[${address}]` : address;
}

async function broker(options: BrokerOptions): Promise<void> {
	const { port, wsPort, config, data, engine } = options;
	// Loaded late, so that help and usage errors are printed at once.
	const [{ prepareBroker }, { serve, ServeError }] = await Promise.all([
		import("./broker-config"),
		import("../sim/service/serve"),
	]);
	const prepared = prepareBroker(config, { port, webSocket: wsPort, data }, engine);
	const capture = await openCapture(options);
	const interrupt = new Interrupt();
	const progress = new BuildProgress();
	try {
		await serve({
			engine,
			...prepared,
			capture: capture?.capture,
			signal: interrupt.signal,
			listening({ addresses = ALL_ADDRESSES, mqtt, mqtts, webSocket }) {
				const lines = Object.entries({ mqtt, mqtts, ws: webSocket }).flatMap(([scheme, port]) =>
					port === undefined
						? []
						: addresses.map((address) => `listening on ${scheme}://${hostOf(address)}:${port}\n`),
				);
				process.stdout.write(lines.join(""));
			},
			trace: (message) => process.stderr.write(`${message}\n`),
			progress: (done, total) => progress.show(done, total),
		});
	} catch (error) {
		throw error instanceof ServeError ? new Failure(error.message) : error;
	} finally {
		progress.end();
		capture?.close();
		interrupt.dispose();
	}
}

/** The capture that the options ask for, in real time. */
async function openCapture({ packets, pcap: path }: BrokerOptions) {
	if (packets === undefined && path === undefined) return undefined;
	const [{ Capture }, { tracedLine }, { formatTime }, { LineWriter }] = await Promise.all([
		import("../sim/capture/capture"),
		import("../sim/capture/packet-text"),
		import("../sim/report/format"),
		import("../sim/report/output"),
	]);
	const pcap = path === undefined ? undefined : await openPcap(path);
	const writer = new LineWriter(process.stdout);
	const capture = new Capture({
		now: () => Date.now(),
		pcap,
		packet: packets
			? ({ client }, packet) => writer.line(`${formatTime(Date.now())}  ${tracedLine(client, packet)}`)
			: undefined,
	});
	return {
		capture,
		close(): void {
			writer.flush();
			pcap?.close();
		},
	};
}
