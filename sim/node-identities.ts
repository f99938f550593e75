import type { Settings } from "../src/config/settings";
import { ManifestError } from "./manifest/error";

/** What tells one node from another. */
export interface NodeIdentity {
	/** 12 hexadecimal digits. */
	readonly mac: string;
	/** IPv4, on the virtual network. */
	readonly address: string;
}

/** The first node's; those of further ones follow it. */
const FIRST_MAC = 0x02f1_ef1f_0001;
const NETWORK = "192.168.4.";
const FIRST_HOST = 11;

/**
 * Identities of nodes, as many as there are.
 * @param taken an address that no node has
 */
export function nodeIdentities(count: number, taken: string): readonly NodeIdentity[] {
	const identities: NodeIdentity[] = [];
	for (let host = FIRST_HOST; identities.length < count; host++) {
		const address = `${NETWORK}${host}`;
		if (address === taken) continue;
		const mac = (FIRST_MAC + identities.length).toString(16).padStart(12, "0");
		identities.push({ mac, address });
	}
	return identities;
}

/**
 * Refuses settings with which several nodes would be one and the same client.
 * @returns a warning if their values would be one and the same
 * @throws {ManifestError}
 */
export function requireDistinctNodes([first, second]: readonly Settings[]): string | undefined {
	if (first === undefined || second === undefined) return undefined;
	if (first.role !== "sensor")
		throw new ManifestError(`config.firefly.role: "${first.role}" is one board; --nodes is for sensors`);
	if (first.id === second.id)
		throw new ManifestError(`config.firefly.id: several nodes need {mac} in it, such as "${first.id}-{mac}"`);
	if (first.broker.clientId === second.broker.clientId)
		throw new ManifestError("config.firefly.broker.clientId: several nodes need {id} or {mac} in it");
	return first.topic === second.topic
		? "all nodes publish to the same topics: config.firefly.topic has neither {id} nor {mac}"
		: undefined;
}

/** What the broker of several nodes needs at least, of `listen`. */
export function listenFor(count: number, { sensors, discovery }: Settings): Readonly<Record<string, number>> {
	if (count === 1) return {};
	// Its values, diagnostics, and what announces it.
	const topics = count * (sensors.length + 2);
	return {
		connections: Math.max(8, Math.min(count + 2, 16)),
		sessions: Math.max(16, count + 4),
		retainedTopics: Math.max(32, topics),
		retainedBytes: Math.max(3072, topics * 72) + (discovery === undefined ? 0 : count * 1280),
	};
}
