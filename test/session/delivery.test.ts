import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { PUBACK, PUBCOMP, PUBREC, PUBREL } from "../../src/mqtt/constants";
import {
	actionOn,
	COMPLETE,
	DELIVER,
	deliveryPacket,
	IDLE,
	IGNORE,
	PROTOCOL_VIOLATION,
	PUBACK_ARRIVES,
	PUBACK_PENDING,
	PUBCOMP_ARRIVES,
	PUBCOMP_PENDING,
	PUBLISH_ARRIVES,
	PUBREC_ARRIVES,
	PUBREC_PENDING,
	PUBREL_ARRIVES,
	PUBREL_PENDING,
	REFUSAL_ARRIVES,
	SEND_PUBCOMP,
	SEND_PUBCOMP_NOT_FOUND,
	SEND_PUBREC,
	SEND_PUBREL,
	SEND_PUBREL_NOT_FOUND,
	stateAfter,
} from "../../src/session/delivery";

const states = { IDLE, PUBACK_PENDING, PUBREC_PENDING, PUBCOMP_PENDING, PUBREL_PENDING } as const;
const packets = {
	PUBACK: PUBACK_ARRIVES,
	PUBREC: PUBREC_ARRIVES,
	REFUSAL: REFUSAL_ARRIVES,
	PUBCOMP: PUBCOMP_ARRIVES,
	PUBLISH: PUBLISH_ARRIVES,
	PUBREL: PUBREL_ARRIVES,
} as const;
const actions = {
	IGNORE,
	COMPLETE,
	SEND_PUBREL,
	SEND_PUBREL_NOT_FOUND,
	DELIVER,
	SEND_PUBREC,
	SEND_PUBCOMP,
	SEND_PUBCOMP_NOT_FOUND,
	PROTOCOL_VIOLATION,
} as const;

function nameOf(names: Readonly<Record<string, number>>, value: number): string {
	return Object.keys(names).find((name) => names[name] === value) ?? `${value}`;
}

/** Every pair of state and packet, written out by hand from §4.3 and §4.4 of both versions. */
const golden = `
IDLE             PUBACK   IGNORE                  IDLE
IDLE             PUBREC   SEND_PUBREL_NOT_FOUND   IDLE
IDLE             REFUSAL  IGNORE                  IDLE
IDLE             PUBCOMP  IGNORE                  IDLE
IDLE             PUBLISH  DELIVER                 PUBREL_PENDING
IDLE             PUBREL   SEND_PUBCOMP_NOT_FOUND  IDLE
PUBACK_PENDING   PUBACK   COMPLETE                IDLE
PUBACK_PENDING   PUBREC   PROTOCOL_VIOLATION      PUBACK_PENDING
PUBACK_PENDING   REFUSAL  PROTOCOL_VIOLATION      PUBACK_PENDING
PUBACK_PENDING   PUBCOMP  PROTOCOL_VIOLATION      PUBACK_PENDING
PUBACK_PENDING   PUBLISH  PROTOCOL_VIOLATION      PUBACK_PENDING
PUBACK_PENDING   PUBREL   PROTOCOL_VIOLATION      PUBACK_PENDING
PUBREC_PENDING   PUBACK   PROTOCOL_VIOLATION      PUBREC_PENDING
PUBREC_PENDING   PUBREC   SEND_PUBREL             PUBCOMP_PENDING
PUBREC_PENDING   REFUSAL  COMPLETE                IDLE
PUBREC_PENDING   PUBCOMP  PROTOCOL_VIOLATION      PUBREC_PENDING
PUBREC_PENDING   PUBLISH  PROTOCOL_VIOLATION      PUBREC_PENDING
PUBREC_PENDING   PUBREL   PROTOCOL_VIOLATION      PUBREC_PENDING
PUBCOMP_PENDING  PUBACK   PROTOCOL_VIOLATION      PUBCOMP_PENDING
PUBCOMP_PENDING  PUBREC   SEND_PUBREL             PUBCOMP_PENDING
PUBCOMP_PENDING  REFUSAL  PROTOCOL_VIOLATION      PUBCOMP_PENDING
PUBCOMP_PENDING  PUBCOMP  COMPLETE                IDLE
PUBCOMP_PENDING  PUBLISH  PROTOCOL_VIOLATION      PUBCOMP_PENDING
PUBCOMP_PENDING  PUBREL   PROTOCOL_VIOLATION      PUBCOMP_PENDING
PUBREL_PENDING   PUBACK   PROTOCOL_VIOLATION      PUBREL_PENDING
PUBREL_PENDING   PUBREC   PROTOCOL_VIOLATION      PUBREL_PENDING
PUBREL_PENDING   REFUSAL  PROTOCOL_VIOLATION      PUBREL_PENDING
PUBREL_PENDING   PUBCOMP  PROTOCOL_VIOLATION      PUBREL_PENDING
PUBREL_PENDING   PUBLISH  SEND_PUBREC             PUBREL_PENDING
PUBREL_PENDING   PUBREL   SEND_PUBCOMP            IDLE
`;

describe("deliveries", () => {
	test("every pair of state and packet has the action and the next state of the specification", () => {
		const rows = Object.entries(states).flatMap(([stateName, state]) =>
			Object.entries(packets).map(([packetName, packet]) => {
				const action = nameOf(actions, actionOn(state, packet));
				const next = nameOf(states, stateAfter(state, packet));
				return `${stateName.padEnd(16)} ${packetName.padEnd(8)} ${action.padEnd(23)} ${next}`;
			}),
		);
		assert.equal(`\n${rows.join("\n")}\n`, golden);
	});

	// [MQTT-4.13.1-1] [MQTT-3.1.1:4.8.0-1]
	test("a violation never changes the state, so that the session can go on on another connection", () => {
		let violations = 0;
		for (const state of Object.values(states))
			for (const packet of Object.values(packets)) {
				if (actionOn(state, packet) !== PROTOCOL_VIOLATION) continue;
				violations++;
				assert.equal(stateAfter(state, packet), state, `${state} ${packet}`);
			}
		assert.equal(violations, 17);
	});

	test("PUBREC refuses from reason code 0x80 on; other acknowledgements have no refusal of their own", () => {
		assert.equal(deliveryPacket(PUBACK, 0), PUBACK_ARRIVES);
		assert.equal(deliveryPacket(PUBACK, 0x97), PUBACK_ARRIVES);
		assert.equal(deliveryPacket(PUBREC, 0), PUBREC_ARRIVES);
		assert.equal(deliveryPacket(PUBREC, 0x10), PUBREC_ARRIVES);
		assert.equal(deliveryPacket(PUBREC, 0x80), REFUSAL_ARRIVES);
		assert.equal(deliveryPacket(PUBREL, 0x92), PUBREL_ARRIVES);
		assert.equal(deliveryPacket(PUBCOMP, 0x92), PUBCOMP_ARRIVES);
	});
});
