import type { ScriptedBroker } from "../../client/scripted-broker";

export const MINUTE = 60_000;
export const HOUR = 3_600_000;

/** Payloads of all received PUBLISH packets. */
export function payloads(broker: ScriptedBroker): string[] {
	return broker.packets.flatMap((packet) => (packet.cmd === "publish" ? [packet.payload.toString()] : []));
}
