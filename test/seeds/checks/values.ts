import { PIN_SENSOR } from "../seed-plan";
import { sitesOf } from "../world";
import type { Check } from "./check";
import { receivedMessages } from "./received";

const NUMBER = /^-?\d+(?:\.\d+)?(?:e[+-]\d+)?$/;
/** Members of a report that is an object which hold values. */
const VALUE = /^[sd]\d$/;

/** What a report says of a sensor is a number, whatever the sensor has read. */
export const valuesAreNumbers: Check = {
	name: "reports are numbers",
	run(run) {
		const failures: string[] = [];
		for (const site of sitesOf(run))
			for (const { topic, payload } of receivedMessages(site))
				if (topic.startsWith("home/") && payload !== "" && !isReport(payload) && !isContact(topic, payload))
					failures.push(`${topic}: ${payload}`);
		return failures.slice(0, 3);
	},
};

/** In the Homie convention a contact is open or not. */
function isContact(topic: string, payload: string): boolean {
	return topic.endsWith(`/${PIN_SENSOR}`) && (payload === "true" || payload === "false");
}

function isReport(payload: string): boolean {
	if (!payload.startsWith("{")) return NUMBER.test(payload);
	try {
		const members = Object.entries(JSON.parse(payload) as object).filter(([name]) => VALUE.test(name));
		return members.length > 0 && members.every(([, value]) => Number.isFinite(value));
	} catch {
		return false;
	}
}
