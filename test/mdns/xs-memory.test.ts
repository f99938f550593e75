import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { memoryNeeded, SLOT_SIZE } from "../../cli/config/memory";
import { Simulation } from "../../sim/simulation";
import { readSettings } from "../../src/config/settings";

const MANIFEST = fileURLToPath(new URL("../../manifest.json", import.meta.url));
/** Largest message that is read at a time: what an Ethernet frame holds. */
const DATAGRAM = 1472;

const configOf = (listen: object) => ({
	firefly: { id: "greenhouse", role: "broker", listen: { anonymous: true, ...listen } },
});

/** Bytes of the whole firmware with the broker role on XS 13.3, at rest. */
async function measure(listen: object): Promise<number> {
	const simulation = await Simulation.build({
		manifest: {
			path: MANIFEST,
			json: { include: ["./firmware/manifest.json"], config: configOf(listen) },
			overrides: {},
		},
		speed: "max",
		seed: 7,
		engine: "xs",
		listener: { event() {} },
	});
	let bytes = 0;
	simulation.scheduler.after(59_000, () => {
		// Without garbage, of which the start leaves more or less
		const { slots, chunks } = simulation.node.statistics(true)!;
		bytes = slots * SLOT_SIZE + chunks;
	});
	await simulation.run(60_000);
	simulation.dispose();
	return bytes;
}

for (const web of [{}, { webSocket: 8080 }])
	test(`announcing ${"webSocket" in web ? "broker and page" : "a broker"}: 5 KB, and a message; nothing without`, async (t) => {
		const without = await measure(web);
		const announced = (await measure({ ...web, mdns: "firefly" })) - without;
		t.diagnostic(`${announced} bytes`);
		assert.ok(announced > 3000 && announced <= 5000, `${announced} bytes`);
		assert.equal(await measure({ ...web, mdns: false }), without);
		const needed = (listen: object): number =>
			memoryNeeded(readSettings(configOf(listen), { mac: "02f1ef1f00b0", chip: "esp32" }, () => {}));
		const counted = needed({ ...web, mdns: "firefly" }) - needed(web);
		assert.ok(announced + DATAGRAM <= counted, `check counts ${counted} bytes`);
	});
