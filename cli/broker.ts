import { networkInterfaces } from "node:os";
import { Command, Option } from "commander";
import type { Ports } from "../sim/service/service";
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
	readonly verbose?: true;
	/** false: the option --no-mdns. */
	readonly mdns: boolean;
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
		.option("--no-mdns", "do not announce the broker's name by Multicast DNS")
		.option(
			"--verbose",
			"print who connects, leaves and is refused, from which address, and why; and each try of a bridge",
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

/** Every address that clients may use, and the pages for browsers. */
function listeningText({ addresses = machineAddresses(), mqtt, mqtts, webSocket }: Ports): string {
	const urls = (scheme: string, port: number | undefined): string[] =>
		port === undefined ? [] : addresses.map((address) => `${scheme}://${hostOf(address)}:${port}`);
	const lines = [...urls("mqtt", mqtt), ...urls("mqtts", mqtts), ...urls("ws", webSocket)];
	return [
		...lines.map((url) => `listening on ${url}\n`),
		...urls("http", webSocket).map((url) => `status page: ${url}/\n`),
	].join("");
}

function printAnnounced(url: string, address: string): void {
	process.stdout.write(`announced on ${address} as ${url}\n`);
}

/** All addresses of this machine by which others find it; link-local ones need a zone, and are left out. */
function machineAddresses(): readonly string[] {
	const interfaces = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
	const found = interfaces
		.filter(({ address, family }) => family === "IPv4" || !/^fe[89ab]/i.test(address))
		.map(({ address }) => address);
	const order = (address: string): number =>
		(address.includes(":") ? 2 : 0) + (/^(127\.|::1$)/.test(address) ? 0 : 1);
	return found.sort((a, b) => order(a) - order(b));
}

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
	const { mdns, ...prepared } = prepareBroker(config, { port, webSocket: wsPort, data }, engine);
	const capture = await openCapture(options);
	const interrupt = new Interrupt();
	const progress = new BuildProgress();
	try {
		await serve({
			engine,
			...prepared,
			...(mdns !== false && options.mdns && { announce: { host: mdns, announced: printAnnounced } }),
			capture: capture?.capture,
			...(options.verbose === undefined ? {} : { bridgeEvent: (...event) => capture?.bridgeEvent(...event) }),
			signal: interrupt.signal,
			listening: (ports) => void process.stdout.write(listeningText(ports)),
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
async function openCapture({ packets, pcap: path, verbose }: BrokerOptions) {
	if (packets === undefined && path === undefined && verbose === undefined) return undefined;
	const [{ Capture }, { tracedLine }, { formatTime }, { LineWriter }, { waitText }] = await Promise.all([
		import("../sim/capture/capture"),
		import("../sim/capture/packet-text"),
		import("../sim/report/format"),
		import("../sim/report/output"),
		import("../src/bridge/wait-text"),
	]);
	const pcap = path === undefined ? undefined : await openPcap(path);
	const writer = new LineWriter(process.stdout);
	const log = (line: string): void => writer.line(`${formatTime(Date.now())}  ${line}`);
	const capture = new Capture({
		now: () => Date.now(),
		pcap,
		packet: packets ? ({ client }, packet) => log(tracedLine(client, packet)) : undefined,
		log: verbose ? log : undefined,
	});
	return {
		capture,
		bridgeEvent(connected: boolean, failures: number, retryMs: number): void {
			const failed = failures === 1 ? "a try" : `${failures} tries in a row`;
			log(connected ? "bridge connected" : `bridge: ${failed} failed, the next one in ${waitText(retryMs)}`);
		},
		close(): void {
			writer.flush();
			pcap?.close();
		},
	};
}
