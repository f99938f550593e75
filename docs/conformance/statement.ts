/** The conformance targets (§7.1): who has to act for a statement to hold. */
export type Side = "server" | "client";

export type Specification = "3.1.1" | "5.0";

/**
 * One numbered normative statement. Its wording is in the specification; `subject` only tells which one it
 * is.
 */
export interface Statement {
	readonly specification: Specification;
	/** As the specification prints it, without "MQTT-". */
	readonly id: string;
	readonly binds: readonly Side[];
	readonly subject: string;
	/** Why it does not apply to this project, for each side it binds and does not apply to. */
	readonly exempt: Partial<Record<Side, string>>;
	/**
	 * MQTT 3.1.1: the statement of 5.0 with the same number says the same, and a citation without a version
	 * means both.
	 */
	readonly shared: boolean;
}

export const SERVER: readonly Side[] = ["server"];
export const CLIENT: readonly Side[] = ["client"];
export const BOTH: readonly Side[] = ["server", "client"];

export type Exemption = string | Partial<Record<Side, string>>;

/** A statement of MQTT 5.0. */
export function mqtt5(
	id: string,
	binds: readonly Side[],
	subject: string,
	exemption: Exemption = {},
): Statement {
	return { specification: "5.0", id, binds, subject, exempt: spread(binds, exemption), shared: false };
}

/** A statement of MQTT 3.1.1 whose number means something else in 5.0, or nothing. */
export function mqtt311(
	id: string,
	binds: readonly Side[],
	subject: string,
	exemption: Exemption = {},
): Statement {
	return { specification: "3.1.1", id, binds, subject, exempt: spread(binds, exemption), shared: false };
}

/** A statement of MQTT 3.1.1 that 5.0 has under the same number. */
export function mqtt311Shared(
	id: string,
	binds: readonly Side[],
	subject: string,
	exemption: Exemption = {},
): Statement {
	return { ...mqtt311(id, binds, subject, exemption), shared: true };
}

function spread(binds: readonly Side[], exemption: Exemption): Partial<Record<Side, string>> {
	return typeof exemption === "string"
		? Object.fromEntries(binds.map((side) => [side, exemption]))
		: exemption;
}

/** How a citation names it. */
export function citationName({ specification, id }: Pick<Statement, "specification" | "id">): string {
	return specification === "5.0" ? `MQTT-${id}` : `MQTT-3.1.1:${id}`;
}
