import type { JSONObject } from "../../sim/manifest/manifest-reader";
import { deterministicHash } from "../../sim/password";
import { type ConfigContext, drawConfig, LISTEN_ROWS, NODE_ROWS, SENSOR_ROWS } from "./config-rows";
import { Draw } from "./draw";
import { type BoardPlan, BROKER_ADDRESS, LOGINS, SENSOR_PROPERTIES } from "./seed-plan";

export function drawBroker(seed: number, context: ConfigContext, isBoth: boolean): BoardPlan {
	const draw = new Draw(seed, "broker");
	const listen = drawListen(draw, context);
	const own = isBoth ? drawNodeConfig(new Draw(seed, "node 0"), { ...context, isBroker: true }) : {};
	return {
		name: "broker",
		address: BROKER_ADDRESS,
		mac: "02f1ef1f00b0",
		firefly: {
			...own,
			id: "broker",
			role: isBoth ? "both" : "broker",
			listen,
			...(isBoth ? { sleep: { mode: "none" } } : { time: { server: draw.pick(["pool.ntp.org", false]) } }),
		},
		at: 0,
	};
}

export function drawNode(seed: number, number: number, context: ConfigContext): BoardPlan {
	const draw = new Draw(seed, `node ${number}`);
	return {
		name: `n${number}`,
		address: `192.168.4.${10 + number}`,
		mac: `02f1ef1f000${number}`,
		firefly: { ...drawNodeConfig(draw, context), id: `n${number}`, role: "sensor" },
		at: 12_000 + draw.integer(0, 8000),
	};
}

function drawNodeConfig(draw: Draw, context: ConfigContext): JSONObject {
	const config = drawConfig(NODE_ROWS, draw, context);
	const { cleanStart } = config.broker as { readonly cleanStart: boolean };
	const count = draw.integer(1, SENSOR_PROPERTIES.length);
	const sensors = Array.from(
		{ length: count },
		(_, index): JSONObject => ({
			name: `s${index}`,
			driver: "virtual",
			property: SENSOR_PROPERTIES[index]!,
			...drawConfig(SENSOR_ROWS, draw, { ...context, keepsSession: !cleanStart }),
		}),
	);
	return { ...config, sensors };
}

/** A broker's `listen`. */
export function drawListen(draw: Draw, context: ConfigContext): JSONObject {
	const listen = drawConfig(LISTEN_ROWS, draw, context);
	if (!context.hasUsers) return listen;
	const users = LOGINS.map(([name, password]) => [name, deterministicHash(name, password)] as const);
	return { ...listen, users: Object.fromEntries(users) };
}
