import type { SiteRun } from "../site";
import type { ReceivedMessage } from "../well-behaved-client";

/** What bridges put before topics. */
const BRIDGE_PREFIX = /^(?:site|hub)\//;
/** Where the Homie convention has the value of a sensor. */
const HOMIE_VALUE = /^homie\/5\/(\w+)\/sensors\//;

/**
 * What a subscriber has received, under the names that the topics have where they come from, those of Homie
 * under the names that they have without; reports that
 * share a message apart: each is one as if it came alone.
 */
export function receivedMessages({ subscriber }: Pick<SiteRun, "subscriber">): readonly ReceivedMessage[] {
	return subscriber.received.flatMap((message) => {
		const topic = message.topic.replace(BRIDGE_PREFIX, "").replace(HOMIE_VALUE, "home/$1/");
		return topic.startsWith("home/") && message.payload.startsWith("[")
			? (JSON.parse(message.payload) as object[]).map((report) => ({
					...message,
					topic,
					payload: JSON.stringify(report),
				}))
			: [{ ...message, topic }];
	});
}

/**
 * What a report says of its sensors: sent again, it may have a time that was not known before, and other
 * drops.
 */
export function withoutCircumstances(payload: string): string {
	return payload.replace(/^.*?(?="s\d")/, "");
}
