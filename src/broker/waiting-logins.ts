import { isBeforeConnack } from "../session/broker-phase";
import type { Core } from "./core/core";
import type { BrokerPages } from "./web/broker-pages";

/**
 * Resumes connections and web requests that waited for an authentication to finish. Goes on after the last
 * one, also after a pause, so that clients that retry permanently do not starve the others. Clients of
 * networks with a correct login come first.
 * @param result index of the authenticated connection; negative for a web request; 0: none, a pause is over
 * @param last index of the connection authenticated last
 */
export function resumeWaiting(
	{ connections, authorizer, reader }: Core,
	pages: BrokerPages | undefined,
	result: number,
	last: number,
): void {
	const count = connections.length - 1;
	for (let i = 1; i <= count; i++) {
		const connection = connections[i]!;
		if (isBeforeConnack(connection.phase) && authorizer.isProven(connection.network))
			reader.resume(connection);
	}
	if (result > 0) pages?.resumeWaiting();
	const from = result < 0 ? Math.floor(Math.random() * count) : last;
	for (let i = from; i < from + count; i++) {
		const connection = connections[1 + (i % count)]!;
		if (isBeforeConnack(connection.phase)) reader.resume(connection);
	}
	if (result <= 0) pages?.resumeWaiting();
}
