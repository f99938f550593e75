import { readSettings } from "../../../src/config/settings";
import type { Settings } from "../../../src/config/types";
import { SessionBroker, type SessionBrokerOptions } from "../support/session-broker";
import { type Overrides, settings, TestBoard } from "../support/test-board";

/** A node that takes commands, as its configuration makes it. */
export function commandSettings(firefly: object = {}, overrides: Overrides = {}): Settings {
	const problems: string[] = [];
	const read = readSettings(
		{
			firefly: {
				id: "node",
				topic: "home/{id}/{sensor}",
				wifi: { ssid: "net" },
				commands: {},
				sensors: [{ name: "temperature", driver: "virtual" }],
				...firefly,
				broker: { url: "mqtt://10.0.0.1", ...("broker" in firefly ? (firefly.broker as object) : {}) },
			},
		},
		{ mac: "a0b1c2d3e4f5", chip: "test" },
		(problem) => problems.push(problem),
	);
	if (problems.length > 0) throw new Error(problems.join("\n"));
	const { broker, sleep, sensors, ...rest } = overrides;
	return {
		...settings(),
		...read,
		...rest,
		broker: { ...read.broker, ...broker },
		sleep: { ...read.sleep, ...sleep },
	};
}

/** Such a node on a board, and the broker of its session. */
export function commandBoard(
	firefly: object = {},
	options: SessionBrokerOptions = {},
): { board: TestBoard; broker: SessionBroker } {
	const board = new TestBoard();
	const version = options.version ?? 5;
	board.settings = commandSettings({
		...firefly,
		broker: { version, ...("broker" in firefly ? (firefly.broker as object) : {}) },
	});
	return { board, broker: new SessionBroker(board.network, options) };
}

/** Commands that the node has executed or refused. */
export function executed(board: TestBoard): string[] {
	return board
		.events("command")
		.map(({ details: [name, accepted] }) => (accepted ? name : `${name} refused`));
}
