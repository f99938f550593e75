import type { Settings } from "../../src/config/settings";
import type { ManifestView } from "./json";
import { DEFAULT_QUEUE_LENGTH, messageQueueLength } from "./message-queue";
import type { Path, Problem } from "./problem";
import { valueAt } from "./schema-problems";

/** Connections of lwIP: `CONFIG_LWIP_MAX_ACTIVE_TCP` of firmware/esp32/sdkconfig. */
export const ACTIVE_CONNECTIONS = 16;
/** Connections that have ended for the broker and are closing in lwIP. */
const CLOSING_CONNECTIONS = 2;

const connectionsPath: Path = ["config", "firefly", "listen", "connections"];

/**
 * Reports limits of the chip's software that are no memory of XS: a message queue that can become full, on
 * which the chip would hang, and more connections than lwIP has.
 */
export function chipProblems(document: ManifestView, settings: Settings): Problem[] {
	return [...queueProblems(document, settings), ...connectionProblems(document, settings)];
}

function queueProblems(document: ManifestView, settings: Settings): Problem[] {
	const path: Path = ["defines", "task", "queuelength"];
	const length = numberAt(document, path) ?? DEFAULT_QUEUE_LENGTH;
	const needed = messageQueueLength(settings);
	if (length >= needed) return [];
	const written = document.isWritten(path);
	const place = written ? path : settings.role === "sensor" ? connectionsPath.slice(0, 2) : connectionsPath;
	const advice = written
		? `raise it to ${needed}`
		: `add "defines": {"task": {"queuelength": ${needed}}} to the manifest`;
	return [
		document.at(place, `XS's message queue of ${length} can become full, on which the chip hangs; ${advice}`),
	];
}

/** Another sdkconfig than Firefly's may hold more: what it says is not known here. */
function connectionProblems(document: ManifestView, { role, listen }: Settings): Problem[] {
	if (role === "sensor" || valueAt(document.value, ["build", "SDKCONFIGPATH"]) !== undefined) return [];
	const needed = listen.connections + listen.handshakes + (role === "both" ? 1 : 0) + CLOSING_CONNECTIONS;
	if (needed <= ACTIVE_CONNECTIONS) return [];
	const most = listen.connections - (needed - ACTIVE_CONNECTIONS);
	return [
		document.at(
			connectionsPath,
			`lwIP has ${ACTIVE_CONNECTIONS} connections, with those that wait or are closing ${needed} are needed; connections may be ${most} at most, or name an sdkconfig with a larger CONFIG_LWIP_MAX_ACTIVE_TCP in build.SDKCONFIGPATH`,
		),
	];
}

function numberAt(document: ManifestView, path: Path): number | undefined {
	const value = valueAt(document.value, path);
	return typeof value === "number" ? value : undefined;
}
