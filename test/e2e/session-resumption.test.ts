import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { TimedEvent } from "../../sim/report/events";
import { runSimulation } from "../../sim/run";
import { Mosquitto, mosquittoInstalled } from "../support/mosquitto";
import { CuttingProxy } from "./cutting-proxy";

const MANIFEST = fileURLToPath(new URL("../../manifest.json", import.meta.url));
const MINUTE = 60_000;
const skip = mosquittoInstalled || process.env.FIREFLY_REQUIRE_PEERS ? false : "mosquitto is not installed";

test("connections cut before PUBACK: reports are sent again in mosquitto's session, none is lost", {
	skip,
}, async (t) => {
	for (const version of [4, 5]) {
		const mosquitto = await Mosquitto.start();
		t.after(() => mosquitto.stop());
		const proxy = await CuttingProxy.start(mosquitto.port);
		t.after(() => proxy.stop());
		const cuts = new Set([3, 4, 9, 20]);
		let acknowledged = 0;
		proxy.onAcknowledge = () => cuts.delete(++acknowledged);
		const broker = new URL(`mqtt://127.0.0.1:${proxy.port}`);
		const sensor = {
			name: "temperature",
			driver: "virtual",
			property: "thermometer.temperature",
			every: "60s",
		};
		const config = {
			firefly: {
				id: `node-${version}`,
				broker: { url: broker.href, version, cleanStart: false, sessionExpiry: "1d" },
				sensors: [sensor],
			},
		};
		const events: TimedEvent[] = [];
		await runSimulation({
			manifest: { path: MANIFEST, json: { include: ["./firmware/manifest.json"], config }, overrides: {} },
			duration: 40 * MINUTE - 1,
			speed: "max",
			seed: 1,
			broker,
			engine: "xs",
			listener: { event: (event) => void events.push(event) },
		});
		const count = (type: TimedEvent["type"]): number => events.filter((event) => event.type === type).length;
		const again = events.filter((event) => event.type === "publish" && event.again).length;
		assert.equal(cuts.size, 0);
		assert.ok(again >= 4);
		assert.equal(proxy.published, count("accepted") + again);
		assert.equal(count("acknowledged"), count("accepted"));
		assert.equal(count("dropped") + count("crash"), 0);
		const present = events.flatMap((event) => (event.type === "connected" ? [event.sessionPresent] : []));
		assert.ok(!present[0] && present.slice(1).every((is) => is), "mosquitto keeps the session");
	}
});
