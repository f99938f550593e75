import type { ReceivedMessage } from "../well-behaved-client";
import type { SeedRun } from "../world";

/** What the subscriber has received, reports that share a message apart: each is one as if it came alone. */
export function receivedMessages({ subscriber }: SeedRun): readonly ReceivedMessage[] {
	return subscriber.received.flatMap((message) =>
		message.topic.startsWith("home/") && message.payload.startsWith("[")
			? (JSON.parse(message.payload) as object[]).map((report) => ({
					...message,
					payload: JSON.stringify(report),
				}))
			: [message],
	);
}

/**
 * What a report says of its sensors: sent again, it may have a time that was not known before, and other
 * drops.
 */
export function withoutCircumstances(payload: string): string {
	return payload.replace(/^.*?(?="s\d")/, "");
}
