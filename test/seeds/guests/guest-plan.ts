/** Well-behaved neighbours that know what the broker owes them, and say where it does not keep to that. */
export const GUEST_KINDS = [
	/** Subscribes and unsubscribes all the time, with filters that overlap, and publishes to itself. */
	"wanderer",
	/** Connects with a will, and ends its connection in all ways that there are. */
	"mortal",
	/** Takes over its own session again and again, from two hosts. */
	"restarter",
	/** Publishes values that expire, and asks for those that are current. */
	"archivist",
	/** Publishes messages as long as the broker takes them, and a little longer. */
	"measurer",
] as const;

export type GuestKind = (typeof GUEST_KINDS)[number];

export interface GuestPlan {
	readonly kind: GuestKind;
	/** When its first episode begins, ms. */
	readonly at: number;
	/** Of its pauses between two episodes, ms. */
	readonly pause: number;
	readonly login: readonly [name: string, password: string] | undefined;
}

/** What a broker owed to a guest and did not do. */
export interface GuestProblem {
	/** The episode until then, ms since 1970. */
	readonly from: number;
	readonly to: number;
	readonly text: string;
}
