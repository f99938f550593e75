import type { Draw } from "./draw";
import { ODD_CLIENT_KINDS } from "./odd-client-kinds";
import { type ClientPlan, LOGINS, type OddClientPlan } from "./seed-plan";

export function drawClient(
	draw: Draw,
	role: ClientPlan["role"],
	active: number,
	hasUsers: boolean,
): ClientPlan {
	return {
		role,
		version: draw.pick([4, 5]),
		keepAlive: draw.pick([5, 10, 20]),
		inFlight: draw.pick([1, 4, 16]),
		interval: Math.round(active / draw.pick([10, 30, 90])),
		login: hasUsers ? LOGINS[1] : undefined,
	};
}

export function drawOddClient(draw: Draw, active: number, hasUsers: boolean): OddClientPlan {
	const at = draw.integer(4000, Math.floor(active * 0.7));
	const kind = draw.pick(ODD_CLIENT_KINDS);
	return {
		kind,
		at,
		duration: Math.min(draw.integer(5000, kind === "flooding" ? 15_000 : 60_000), active - at),
		login: hasUsers ? draw.pick([LOGINS[1], [LOGINS[1][0], "wrong"], undefined]) : undefined,
	};
}
