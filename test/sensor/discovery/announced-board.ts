import type { IPublishPacket } from "mqtt-packet";
import { Flash } from "../../../sim/board/flash";
import { discoveryFields } from "../../../src/config/fields/discovery";
import type { DiscoverySettings } from "../../../src/config/types";
import { type BrokerScript, ScriptedBroker } from "../../client/scripted-broker";
import { type Overrides, settings, TestBoard } from "../support/test-board";

export const CONFIG_TOPIC = "homeassistant/device/node/config";
const { prefix, domain, name, manufacturer, model } = discoveryFields;

export function discovery(
	formats: DiscoverySettings["formats"],
	more: Partial<DiscoverySettings> = {},
): DiscoverySettings {
	return {
		formats,
		prefix: prefix.default,
		domain: domain.default,
		name: name.default,
		manufacturer: manufacturer.default,
		model: model.default,
		...more,
	};
}

/** Settings of a node that Homie announces, as its topics and its will must be. */
export function homieSettings(more: Overrides = {}): Overrides {
	const { broker, ...rest } = more;
	return {
		topic: "homie/5/node/sensors/{sensor}",
		discovery: discovery(["homie"]),
		...rest,
		broker: {
			will: { topic: "homie/5/node/$state", payload: "lost", qos: 1, retain: true, delay: 0 },
			...broker,
		},
	};
}

/** A board with flash, its broker, and what that has got. */
export class AnnouncedBoard {
	readonly board: TestBoard;
	readonly broker: ScriptedBroker;

	constructor(overrides: Overrides, script: BrokerScript = {}) {
		this.board = new TestBoard(overrides);
		this.board.storage = new Flash();
		this.broker = new ScriptedBroker(this.board.network, 1883, script);
	}

	/** The PUBLISH packets from an index of all packets on. */
	published(from = 0): IPublishPacket[] {
		return this.broker.packets
			.slice(from)
			.filter((packet): packet is IPublishPacket => packet.cmd === "publish");
	}

	/** Topics of the messages from an index of all packets on. */
	topics(from = 0): string[] {
		return this.published(from).map(({ topic }) => topic);
	}

	/** Payloads on a topic, from an index of all packets on. */
	payloads(topic: string, from = 0): string[] {
		return this.published(from)
			.filter((packet) => packet.topic === topic)
			.map(({ payload }) => payload.toString());
	}

	/** Other settings from the next boot on. */
	configure(overrides: Overrides): void {
		this.board.settings = settings(overrides);
	}
}
