import type { JSONObject } from "../../../sim/manifest/manifest-reader";
import { RECONNECTING } from "../../../src/sensor/exchange/report-exchange";
import { isUnreachable } from "../command-plan";
import { Disturbance } from "../disturbance";
import { SettingsHistory } from "../effective-settings";
import type { Check } from "./check";
import { announcementEndsConnection, clock, sensorBoards } from "./reports";

/** From the end of a connection to the next one, ms: the longest wait between two tries, and its join. */
const RECONNECT_MS = 21_000;

function sleepMode({ sleep }: JSONObject): string | undefined {
	return (sleep as { readonly mode?: string } | undefined)?.mode;
}

/** A node that stays connected does so, and one with light sleep lets its chip sleep. */
export const staysConnected: Check = {
	name: "nodes that are to stay connected do",
	run(run) {
		const failures: string[] = [];
		for (const board of sensorBoards(run)) {
			const { name, firefly } = board;
			if (firefly.role !== "sensor" || announcementEndsConnection(run, board)) continue;
			const history = new SettingsHistory(run, board);
			const disturbance = new Disturbance(run, [name, "broker"]);
			let connections = 0;
			let sleepsLightly = false;
			let connectsAnew = false;
			for (const event of run.events) {
				if (event.node !== name) continue;
				if (event.type === "boot") {
					connections = 0;
					sleepsLightly = false;
				}
				if (event.type === "lightSleep") sleepsLightly = true;
				if (event.type === "trace" && event.message === RECONNECTING) connectsAnew = true;
				if (event.type !== "connected") continue;
				const isExpected = connectsAnew;
				connectsAnew = false;
				const inForce = history.at(event.time).firefly;
				const mode = sleepMode(inForce);
				if (mode === "deep" || isUnreachable(inForce)) continue;
				if (mode === "light" && !sleepsLightly)
					failures.push(`${name}: connected at ${clock(event.time)} without light sleep`);
				if (++connections > 1 && !isExpected && !disturbance.touches(event.time - RECONNECT_MS, event.time))
					failures.push(`${name}: connected once more at ${clock(event.time)}`);
			}
		}
		return failures.slice(0, 3);
	},
};
