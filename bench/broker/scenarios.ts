/** The traffic of one phase. */
export interface Scenario {
	readonly name: string;
	readonly publishers: number;
	readonly subscribers: number;
	/**
	 * PUBLISH packets that each publisher sends at once; the next burst follows when those of all publishers
	 * have arrived.
	 */
	readonly burst: number;
	/** Bytes of payload. */
	readonly payload: number;
	/** Of publications and subscriptions. */
	readonly qos: 0 | 1;
	readonly retain: boolean;
	/**
	 * Whether the subscribers' sessions outlive their connections, so that the broker keeps each message until
	 * it is acknowledged.
	 */
	readonly persistent: boolean;
	/** Topic of a publisher, always of the same length. */
	readonly topic: (publisher: number) => string;
	readonly filter: string;
}

const baseScenario = {
	publishers: 1,
	subscribers: 1,
	burst: 20,
	payload: 32,
	qos: 0,
	retain: false,
	persistent: false,
	topic: () => "home/sensor00/temperature",
	filter: "home/sensor00/temperature",
} as const satisfies Partial<Scenario>;

export const scenarios: readonly Scenario[] = [
	{ ...baseScenario, name: "1 → 1, one at a time", burst: 1 },
	{ ...baseScenario, name: "1 → 1" },
	{ ...baseScenario, name: "1 → 10", subscribers: 10 },
	{
		...baseScenario,
		name: "20 → 1 by home/+/temperature",
		publishers: 20,
		burst: 1,
		topic: (publisher) => `home/sensor${String(publisher).padStart(2, "0")}/temperature`,
		filter: "home/+/temperature",
	},
	{ ...baseScenario, name: "1 → 1, 1 kB", payload: 1024 },
	{ ...baseScenario, name: "1 → 1, QoS 1, retained", qos: 1, retain: true },
	{ ...baseScenario, name: "1 → 1, QoS 1, session lasts", qos: 1, persistent: true },
	{ ...baseScenario, name: "1 → 1, QoS 1, lasts, one at a time", qos: 1, persistent: true, burst: 1 },
];
