/*
 * What both tables of connection phases share: the results besides a phase, and how rows become a table.
 * No I/O, no clock, no allocation after the module is loaded; in a preloaded module a table lies in flash.
 */

/** Result of a table: the phase stays, and the packet is dropped. */
export const IGNORED = 0xfd;
/** Result of a table: the phase stays, and the packet is not read yet. */
export const UNREAD = 0xfe;
/**
 * Result of a table, of every pair without a row. For a packet: the peer violates the protocol
 * [MQTT-4.13.1-1] [MQTT-3.1.1:4.8.0-1]. For an event of this end: it is not possible in the phase.
 */
export const VIOLATION = 0xff;

/**
 * A packet is the event with the number of its type (Table 2-1), in the tables of both ends. No packet may
 * have type 0, which is reserved.
 */
export type PacketType = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12 | 13 | 14 | 15;
export const ALL_PACKETS: readonly PacketType[] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

/** In a row: the phase stays. */
export const SAME = 0xfc;

/** Some phases, some events, and what each of these events leads to in each of these phases. */
export type PhaseRow<Phase extends number, Event extends number> = readonly [
	phases: readonly Phase[],
	events: readonly Event[],
	next: Phase | typeof SAME | typeof IGNORED | typeof UNREAD,
];

/** @returns the result of each event in each phase, at phase × `eventCount` + event */
export function compilePhases<Phase extends number, Event extends number>(
	rows: readonly PhaseRow<Phase, Event>[],
	phaseCount: number,
	eventCount: number,
): Uint8Array {
	const table = new Uint8Array(phaseCount * eventCount).fill(VIOLATION);
	for (let i = 0; i < rows.length; i++) {
		const [phases, events, next] = rows[i];
		for (let p = 0; p < phases.length; p++)
			for (let e = 0; e < events.length; e++)
				table[phases[p] * eventCount + events[e]] = next === SAME ? phases[p] : next;
	}
	return table;
}
