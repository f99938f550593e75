import { deepFreeze } from "./deep-freeze";

export interface Range {
	readonly minimum: number;
	readonly maximum: number;
}

/** Longest duration: the timer of {@link ../device.ts#Sleep.deep} takes 2^31 − 1 ms. */
export const LONGEST_MS = 24 * 86_400_000;

/** Limits of lists and texts. Those of numbers are in the rows of `fields/`. */
export const limits = deepFreeze({
	/** Maximum number of sensors of one node. */
	sensors: 16,
	/** Maximum number of users of the broker. */
	users: 64,
	/** Maximum number of access rules. */
	rules: 64,
	/** Maximum number of origins, and of host names, of the WebSocket port. */
	names: 16,
	/** Maximum number of rows of a bridge's topics. */
	bridgeTopics: 16,
	/** Iterations of a password hash; an ESP32 needs minutes for far fewer than the maximum. */
	iterations: { minimum: 100, maximum: 10_000_000 },
	/** Maximum characters of an id. */
	idLength: 64,
	/** Maximum characters of a sensor's name. */
	nameLength: 32,
	/** Maximum bytes of the path to a value in a driver's sample. */
	propertyLength: 64,
	/** Maximum bytes of a text of `discovery`. */
	discoveryLength: 64,
	/** Of a number in a table of points. */
	coordinate: { minimum: -1e9, maximum: 1e9 },
	/** Maximum points of a table. */
	points: 16,
	/** Maximum bytes of a topic template. */
	topicLength: 128,
	/** Maximum bytes of user name, password and will payload, each. */
	textLength: 128,
	/** Maximum bytes of a broker's user name, and of the client identifier in a rule. */
	userLength: 64,
	clientLength: 256,
} as const);
