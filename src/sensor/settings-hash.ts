import type { BrokerSettings, SensorSettings } from "../config/types";

/** FNV-1a, 32 bits, over UTF-16 code units. For start-up: allocates. */
function fnv1a(text: string): number {
	let state = 0x811c9dc5;
	for (let i = 0; i < text.length; i++) state = Math.imul(state ^ text.charCodeAt(i), 0x01000193);
	return state >>> 0;
}

/**
 * Changes with every setting that the meaning of the values in the outbox depends on.
 * @param grouped whether one record holds the values of several sensors: as a bare value only the first of
 *   them would be sent
 */
export function sensorsHash(sensors: readonly SensorSettings[], grouped: boolean): number {
	const texts = JSON.stringify(
		sensors.map(({ name, driver, property, unit }) => [name, driver, property, unit ?? null]),
	);
	return fnv1a(grouped ? `${texts}*` : texts);
}

/**
 * Changes with the broker, as the cached CONNACK limits and refusal of pipelining apply to one broker only.
 */
export function brokerHash({ host, port, version }: BrokerSettings): number {
	return fnv1a(`${host}:${port}:${version}`);
}
