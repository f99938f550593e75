import type { FaultBoard, FaultWorld } from "./world";

/** What the number after a fault's name means. */
export type AmountKind = "share" | "duration" | "step" | "ppm" | "calls";

/** Which boards a fault concerns that names none; `network`: it concerns none, and must not name one. */
export type FaultScope = "network" | "sensors" | "broker";

/** A kind of fault. */
export interface FaultKind {
	readonly scope: FaultScope;
	/** Whether it lasts, and so has a duration. */
	readonly lasts: boolean;
	readonly amount?: AmountKind;
	/** Value of an amount that is left out; without it the amount is needed. */
	readonly defaultAmount?: number;
	/** Whether it concerns the board's place on the virtual network. */
	readonly onNetwork?: true;
	/** What happens, for people. */
	readonly text: string;
	/** An example, for messages. */
	readonly example: string;
	/**
	 * Puts the faults of this kind into effect. Called with those that are active whenever one begins or ends,
	 * and with the one that begins if it does not last.
	 * @param amounts of the faults, the newest last; none: all is well again
	 * @param board undefined for the scope `network`
	 */
	apply(world: FaultWorld, amounts: readonly number[], board: FaultBoard | undefined): void;
}

function network(
	text: string,
	example: string,
	lasts: boolean,
	apply: (world: FaultWorld, active: boolean) => void,
): FaultKind {
	return {
		scope: "network",
		lasts,
		text,
		example,
		apply: (world, amounts) => apply(world, amounts.length > 0),
	};
}

function onBoard(
	scope: "sensors" | "broker",
	text: string,
	example: string,
	lasts: boolean,
	apply: (board: FaultBoard, amounts: readonly number[], world: FaultWorld) => void,
	more: Pick<FaultKind, "amount" | "defaultAmount" | "onNetwork"> = {},
): FaultKind {
	return {
		scope,
		lasts,
		text,
		example,
		...more,
		apply: (world, amounts, board) => apply(board!, amounts, world),
	};
}

/** At the first call of a native function, or outside of a turn. */
const NOT_IN_TURN = 0;

/** Runs `then` now, or after a number of calls of native functions. */
function interrupt({ board }: FaultBoard, calls: number, then: () => void): void {
	if (board.state === "off") return;
	if (calls === NOT_IN_TURN) then();
	else board.interruptAfter(calls, then);
}

function cutPower({ board, onPowerOff }: FaultBoard): void {
	if (board.state === "off") return;
	board.powerOff();
	onPowerOff();
}

const ON_NETWORK = { onNetwork: true } as const;
const CALLS = { amount: "calls", defaultAmount: NOT_IN_TURN } as const;
/** Time without power after a torn write, ms. */
const TORN_WRITE_OUTAGE_MS = 1000;

/** All kinds, by the names that people use. */
export const FAULT_KINDS: Readonly<Record<string, FaultKind>> = {
	wifi: network("the access point is off the air", "wifi:10m@2h", true, ({ accessPoint }, active) => {
		accessPoint.present = !active;
	}),
	roam: network("another access point, on another channel", "roam@2h", false, ({ accessPoint }) => {
		accessPoint.channel = (accessPoint.channel % 11) + 1;
		accessPoint.bssid = `02f1${((accessPoint.channel * 0x1d_e5_47) & 0xffff_ffff).toString(16).padStart(8, "0")}`;
	}),
	lease: network("the DHCP server forgets all leases", "lease@2h", false, ({ accessPoint }) => {
		accessPoint.dhcp.forget();
	}),
	dns: network("names are not resolved", "dns:10m@2h", true, (world, active) => {
		world.network.resolvesNames = !active;
	}),
	"time-server": network(
		"the time server does not answer",
		"time-server:1h@2h",
		true,
		({ timeService }, active) => {
			timeService.answers = !active;
		},
	),
	broker: onBoard(
		"broker",
		"nothing reaches the broker",
		"broker:2h@6h",
		true,
		({ host }, amounts) => {
			if (host) host.blackHole = amounts.length > 0;
		},
		ON_NETWORK,
	),
	refuse: onBoard(
		"broker",
		"new connections are refused, as by a host whose broker has stopped",
		"refuse:10m@2h",
		true,
		({ host }, amounts) => {
			if (host) host.refusing = amounts.length > 0;
		},
		ON_NETWORK,
	),
	disconnect: onBoard(
		"broker",
		"all connections are reset",
		"disconnect@2h",
		false,
		({ host }) => host?.resetConnections(),
		ON_NETWORK,
	),
	"half-open": onBoard(
		"broker",
		"all connections are dead, and nobody is told",
		"half-open@2h",
		false,
		({ host }) => host?.severConnections(),
		ON_NETWORK,
	),
	loss: onBoard(
		"broker",
		"packets are lost",
		"loss=20%:10m@2h",
		true,
		({ host }, amounts) => {
			if (host) host.lossRate = Math.max(0, ...amounts);
		},
		{ amount: "share", ...ON_NETWORK },
	),
	delay: onBoard(
		"broker",
		"packets are late, by this time at most",
		"delay=2s:10m@2h",
		true,
		({ host }, amounts) => {
			if (host) host.delay = Math.max(0, ...amounts);
		},
		{ amount: "duration", ...ON_NETWORK },
	),
	power: onBoard(
		"sensors",
		"the power is away",
		"power:5m@2h",
		true,
		(board, amounts) => {
			if (amounts.length === 0) {
				board.board.interruptAfter(Infinity, () => {});
				if (board.board.state === "off") board.board.powerOn();
			} else interrupt(board, amounts[amounts.length - 1]!, () => cutPower(board));
		},
		CALLS,
	),
	"brown-out": onBoard(
		"sensors",
		"the supply voltage is too low for a moment",
		"brown-out@2h",
		false,
		(board, amounts) => interrupt(board, amounts[0]!, () => board.board.powerOn("brown-out")),
		CALLS,
	),
	reset: onBoard(
		"sensors",
		"the reset button",
		"reset@2h",
		false,
		(board, amounts) => interrupt(board, amounts[0]!, () => board.board.reset()),
		CALLS,
	),
	clock: onBoard(
		"sensors",
		"the clock jumps",
		"clock=+5m@2h",
		false,
		({ board }, amounts) => board.stepClock(amounts[0]!),
		{ amount: "step" },
	),
	drift: onBoard(
		"sensors",
		"the clock goes wrong during sleep, more slowly if positive",
		"drift=300ppm:1h@2h",
		true,
		({ board, drift }, amounts) => {
			board.drift = amounts[amounts.length - 1] ?? drift;
		},
		{ amount: "ppm" },
	),
	sensor: onBoard("sensors", "no reading succeeds", "sensor:10m@2h", true, ({ sensors }, amounts) => {
		sensors.failing = amounts.length > 0;
	}),
	stuck: onBoard("sensors", "readings stay the same", "stuck:10m@2h", true, ({ sensors }, amounts) => {
		sensors.stuck = amounts.length > 0;
	}),
	garbled: onBoard(
		"sensors",
		"readings are no numbers, or numbers that nothing measures",
		"garbled:10m@2h",
		true,
		({ sensors }, amounts) => {
			sensors.garbled = amounts.length > 0;
		},
	),
	contact: onBoard(
		"sensors",
		"the contacts at digital pins are closed",
		"contact:30s@2h",
		true,
		({ contacts }, amounts) => {
			if (contacts) contacts.held = amounts.length > 0;
		},
	),
	bounce: onBoard(
		"sensors",
		"the contacts at digital pins close and open by turns, each time after this time",
		"bounce=500ms:10m@2h",
		true,
		({ contacts }, amounts) => {
			if (contacts) contacts.bouncing = amounts[amounts.length - 1] ?? 0;
		},
		{ amount: "duration", defaultAmount: 500 },
	),
	"image-crash": onBoard(
		"sensors",
		"a new image of the firmware crashes at its start",
		"image-crash:1h@2h",
		true,
		({ board }, amounts) => {
			board.newImage = amounts.length > 0 ? "crashes" : "works";
		},
	),
	"image-mute": onBoard(
		"sensors",
		"a new image of the firmware reaches no broker",
		"image-mute:1h@2h",
		true,
		({ board }, amounts) => {
			board.newImage = amounts.length > 0 ? "cannot report" : "works";
		},
	),
	storage: onBoard("broker", "writes to flash fail", "storage:10m@2h", true, ({ storage }, amounts) => {
		storage.failing = amounts.length > 0;
	}),
	"storage-read": onBoard(
		"sensors",
		"reads of flash fail",
		"storage-read:10m@2h",
		true,
		({ storage }, amounts) => {
			storage.unreadable = amounts.length > 0;
		},
	),
	"flash-full": onBoard("broker", "flash is full", "flash-full:10m@2h", true, ({ storage }, amounts) => {
		storage.full = amounts.length > 0;
	}),
	"torn-write": onBoard(
		"broker",
		"the power fails during the next write to flash",
		"torn-write@2h",
		false,
		(board, _amounts, { random, scheduler }) => {
			board.storage.tear = (length) => {
				board.board.interrupt(() => {
					cutPower(board);
					scheduler.after(TORN_WRITE_OUTAGE_MS, () => {
						if (board.board.state === "off") board.board.powerOn();
					});
				});
				const part = Math.floor(random.number() * (length + 2)) - 2;
				return part === -2 ? "old" : part === -1 ? "none" : part;
			};
		},
	),
};
