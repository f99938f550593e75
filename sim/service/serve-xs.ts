import { defaults } from "../../src/config/defaults";
import type { StorageModule } from "../../src/device";
import { RETAINED_BYTES } from "../../src/retained-memory";
import { Board } from "../board/board";
import { Pace } from "../clock/pace";
import { Scheduler } from "../clock/scheduler";
import { createEngine } from "../engine/engine-factory";
import type { JSONObject } from "../manifest/manifest-reader";
import { linkProgram } from "../manifest/program";
import { RealNetwork } from "../network/real";
import { BROKER_MAC } from "../plan";
import type { SimulationEvent } from "../report/events";
import { VirtualSensors } from "../sensors/virtual";
import { collectPorts, portError, ServeError, type ServeOptions } from "./service";

/**
 * Runs the firmware on XS, as on a chip wired to this machine's network, with the clock set from the start.
 */
export async function serveOnXS(options: ServeOptions, storage: StorageModule | undefined): Promise<void> {
	const { name, manifest, config, settings, addresses, secure, capture, signal, listening, trace, progress } =
		options;
	if (secure !== undefined) throw new ServeError("listen.tls: XS has no TLS here; use --engine node");
	const scheduler = new Scheduler(Date.now());
	const pace = new Pace(scheduler, { speed: 1 });
	const onListening = collectPorts(settings, listening);
	let failure: Error | undefined;
	const network = new RealNetwork(scheduler, pace, {
		listenAddresses: addresses,
		listening: (port, number, open) => onListening(number, port, undefined, open),
		tap: capture?.brokerTap(name),
		directory: options.directory,
		failed: (error, port) => {
			failure = portError(error, port);
			pace.stop();
		},
	});
	const board = new Board({
		scheduler,
		network,
		latency: 0,
		timeServer: timeServerOf(config),
		mac: BROKER_MAC,
		address: "127.0.0.1",
		seed: scheduler.now % 0xffff_ffff,
		sensors: [],
		sensorPort: new VirtualSensors(scheduler, 0, []),
		retained: RETAINED_BYTES,
		...(storage === undefined ? {} : { storage }),
		clock: scheduler.now,
		drift: 0,
		bootTime: 0,
		emit: (event) => {
			if (event.type === "bridge") options.bridgeEvent?.(event.connected, event.failures, event.retry);
			else traceEvent(event, trace);
		},
	});
	const engine = await createEngine("xs", { signal, ...(progress === undefined ? {} : { progress }) });
	const image = await engine.load(linkProgram(manifest, { config }), board.natives);
	const stop = (): void => {
		pace.runExternalEvent(() => board.stop());
		pace.stop();
	};
	signal.addEventListener("abort", stop);
	try {
		board.flash(image);
		board.powerOn();
		if (!signal.aborted) await pace.run();
	} finally {
		signal.removeEventListener("abort", stop);
		board.powerOff();
		network.dispose();
		image.dispose();
	}
	if (failure !== undefined) throw failure;
}

function traceEvent(event: SimulationEvent, trace: (message: string) => void): void {
	if (event.type === "trace") trace(event.message);
	else if (event.type === "crash")
		trace(`the broker crashed and starts again: ${event.message}${event.stack ? `\n${event.stack}` : ""}`);
}

/** This machine's clock is the true time, also of the configured time server. */
function timeServerOf(config: JSONObject): string {
	const { firefly } = config as { firefly?: { time?: { server?: unknown } } };
	const server = firefly?.time?.server;
	return typeof server === "string" ? server : (defaults.time.server as string);
}
