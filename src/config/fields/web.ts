import { deepFreeze } from "../deep-freeze";
import { limits } from "../limits";
import { hostNameProblem, originProblem } from "../validators";
import type { Fields } from "./field";

/** The port for WebSocket and the status page. */
export const webFields = deepFreeze({
	webSocket: {
		kind: "count",
		minimum: 0,
		maximum: 65_535,
		title: "WebSocket port",
		text: "TCP port for MQTT over WebSocket and the status page; 0 lets the host choose one. There is none when left out.",
		examples: [8080],
	},
	webSockets: {
		kind: "count",
		unit: "connections",
		minimum: 1,
		maximum: 64,
		default: 4,
		title: "WebSocket connections",
		text: "Clients over WebSocket at once; they count among connections too. One more connection serves the page and handshakes.",
		detail: [
			"About 2 KB each. Full: one of the peer that holds most gives way to a stranger, as for connections; if none has to, CONNACK says so (5.0: 0x97, 3.1.1: 3).",
			"For the one more connection to that port others wait in turn, and idle ones lose it as handshakes do.",
		],
	},
	origins: {
		kind: "texts",
		check: originProblem,
		maximum: limits.names,
		item: "An origin.",
		text: "Origins besides that port's own whose pages may connect to it; * stands for all.",
		examples: [["https://panel.example"]],
	},
	hosts: {
		kind: "texts",
		check: hostNameProblem,
		maximum: limits.names,
		item: "A host name without port.",
		text: "Names besides localhost by which that port may be called; an address always may, and so may the announced name.",
		detail: ["One that ends with .local may have the number that a conflict adds: greenhouse-2.local."],
		examples: [["greenhouse.local"]],
	},
} as const satisfies Fields);
