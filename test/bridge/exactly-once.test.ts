/** QoS 2 over the bridge, the connection to the other broker cut at every byte, in both directions. */
import { describe, test } from "node:test";
import { liveBrokers } from "../client/live-brokers";
import { cutConnections } from "./cut-connections";

describe("QoS 2 over the bridge, cut at every byte: each message arrives once, in order", () => {
	for (const kind of liveBrokers)
		for (const version of kind.versions)
			for (const out of [true, false])
				test(`${out ? "to" : "from"} ${kind.name}, MQTT ${version === 4 ? "3.1.1" : "5.0"}`, {
					skip: kind.skip,
				}, async () => {
					const broker = await kind.start();
					try {
						await cutConnections(broker.port, out, { config: { version } });
					} finally {
						await broker.stop();
					}
				});
});
