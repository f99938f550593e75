import { dirname } from "node:path";
import { formatSpan } from "../../sim/report/format";
import { readTemplate } from "../../src/config/settings";
import type { Settings } from "../../src/config/types";
import { longestGap } from "../../src/sensor/discovery/expiry";
import type { LoadedManifest } from "../config/load";
import { Failure } from "../failure";
import { Interrupted } from "../interrupt";
import { commandTopics } from "./command-topics";
import type { Counts } from "./comparison";
import { SummaryRequest } from "./summary-request";

/** Reports that may fail to come before the node is given up, plus a half. */
const GAPS = 2.5;
/** Shortest wait, in ms: a node that stays connected answers at once. */
const SHORTEST_WAIT_MS = 60_000;

export interface RemoteSummaryOptions {
	readonly manifest: LoadedManifest;
	/** Of the broker; undefined: the manifest's. */
	readonly url: string | undefined;
	/** Of the node; undefined: the manifest's. */
	readonly id: string | undefined;
	/** Longest wait in ms; undefined: as long as the node may take. */
	readonly wait: number | undefined;
	readonly signal: AbortSignal;
	/** Tells the user what is waited for. */
	readonly notice: (text: string) => void;
}

/**
 * Asks a node over the manifest's broker what it has done.
 * @throws Failure if it does not answer in time; Interrupted
 */
export async function remoteSummary(options: RemoteSummaryOptions): Promise<Counts> {
	const { manifest, url, id, signal, notice } = options;
	const { config } = manifest.json as { readonly config?: object };
	const settings = readTemplate(
		{ ...config, ...manifest.overrides, ...(url === undefined ? {} : { broker_url: url }) },
		() => {},
	);
	const { commands, broker } = settings;
	if (commands === undefined)
		throw new Failure('the node takes no commands: its configuration needs "commands": {}');
	if (broker.host === "") throw new Failure("no broker is configured: --broker URL names it");
	const topics = commandTopics({ ...commands, id: settings.id }, id);
	const gap = longestWait(settings);
	const wait = options.wait ?? Math.max(gap * GAPS, SHORTEST_WAIT_MS);
	let timer: NodeJS.Timeout | undefined;
	let stop = (): void => {};
	const request = new SummaryRequest({
		...{ broker, topics, directory: dirname(manifest.path) },
		onSent: () => notice(`${topics.id} ${answersWhen(gap)}; ${waitsUntil(wait)} Ctrl-C ends.`),
		onLost: (reason) => notice(`the broker is gone (${reason}), and is waited for`),
	});
	try {
		return await Promise.race([
			request.result,
			new Promise<never>((_, reject) => {
				stop = () => reject(new Interrupted());
				if (signal.aborted) stop();
				else signal.addEventListener("abort", stop, { once: true });
				// Longer ones are for ever, as setTimeout has them.
				if (wait < 2 ** 31) timer = setTimeout(() => reject(new Failure(silence(topics.id, wait))), wait);
			}),
		]);
	} finally {
		clearTimeout(timer);
		signal.removeEventListener("abort", stop);
		request.close();
	}
}

/** Longest time, in ms, to the next report while nothing fails; 0: it is connected; Infinity: no bound. */
function longestWait({ sleep, role, sensors, diagnostics }: Settings): number {
	if (sleep.mode !== "deep" || role !== "sensor") return 0;
	return Math.min(diagnostics?.every ?? Number.POSITIVE_INFINITY, ...sensors.map(longestGap));
}

function answersWhen(gap: number): string {
	if (gap === 0) return "is connected, and answers at once";
	return gap === Number.POSITIVE_INFINITY
		? "sleeps, and answers when it reports next, for which its deadbands set no bound"
		: `sleeps, and answers in its next report, within ${formatSpan(gap)}`;
}

function waitsUntil(wait: number): string {
	if (wait >= 2 ** 31) return "waiting without end.";
	return `waiting until ${new Date(Date.now() + wait).toString().slice(4, 24)}.`;
}

function silence(id: string, wait: number): string {
	return `${id} has not answered within ${formatSpan(wait)}: it is away, or its firmware is from before the command summary`;
}
