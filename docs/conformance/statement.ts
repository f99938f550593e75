/** The conformance targets (§7.1) that a statement binds. */
export type Side = "server" | "client";

export type Specification = "3.1.1" | "5.0";

/** One numbered normative statement. Its wording is in the specification; `subject` only identifies it. */
export interface Statement {
	readonly specification: Specification;
	/** As the specification prints it, without "MQTT-". */
	readonly id: string;
	readonly binds: readonly Side[];
	readonly subject: string;
	/** Reason why it does not apply to this project, for each such side that it binds. */
	readonly exempt: Partial<Record<Side, string>>;
	/**
	 * MQTT 3.1.1: the statement of 5.0 with the same number is equivalent, and a citation without a version
	 * covers both.
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

/** A statement of MQTT 3.1.1 whose number has another meaning, or none, in 5.0. */
export function mqtt311(
	id: string,
	binds: readonly Side[],
	subject: string,
	exemption: Exemption = {},
): Statement {
	return { specification: "3.1.1", id, binds, subject, exempt: spread(binds, exemption), shared: false };
}

/** A statement of MQTT 3.1.1 with the same number in 5.0. */
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

/** Its name in citations. */
export function citationName({ specification, id }: Pick<Statement, "specification" | "id">): string {
	return specification === "5.0" ? `MQTT-${id}` : `MQTT-3.1.1:${id}`;
}
