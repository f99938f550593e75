import type { JSONObject } from "../../sim/manifest/manifest-reader";
import { Draw } from "./draw";
import { type BoardPlan, type ClientPlan, type SeedPlan, WEBSOCKET_PORT } from "./seed-plan";

/** Share of the seeds in which the broker takes WebSockets, and of nodes and clients that use one there. */
const SHARE = 0.2;
const USERS = 0.6;

/** MQTT over WebSocket: nodes, bridges, and clients as browsers are. */
export function addWebSockets(plan: SeedPlan): SeedPlan {
	const draw = new Draw(plan.seed, "WebSockets");
	if (!draw.chance(SHARE)) return plan;
	const client = (client: ClientPlan): ClientPlan =>
		draw.chance(USERS) ? { ...client, webSocket: true } : client;
	const [subscriber, publisher] = plan.clients;
	const boards = plan.boards.map((board): BoardPlan => {
		const { listen } = board.firefly;
		const changed = draw.chance(USERS) ? withWebSocket(board) : board;
		if (listen === undefined) return changed;
		const places = {
			webSocket: WEBSOCKET_PORT,
			hosts: ["broker.home"],
			// Each well-behaved client has a place
			webSockets: plan.boards.length + plan.clients.length + draw.integer(0, 2),
		};
		return { ...changed, firefly: { ...changed.firefly, listen: { ...(listen as JSONObject), ...places } } };
	});
	return { ...plan, boards, clients: [client(subscriber), client(publisher)] };
}

/** A node that reports, or a bridge that forwards, over a WebSocket. */
function withWebSocket(board: BoardPlan): BoardPlan {
	const { role } = board.firefly;
	const key = role === "sensor" ? "broker" : "bridge";
	const peer = board.firefly[key] as JSONObject | undefined;
	if (peer === undefined) return board;
	const url = `${String(peer.url).replace("mqtt:", "ws:")}:${WEBSOCKET_PORT}`;
	return { ...board, firefly: { ...board.firefly, [key]: { ...peer, url } } };
}
