import { Broker } from "../../../src/broker/broker";
import { defaults } from "../../../src/config/defaults";
import type { ListenSettings } from "../../../src/config/settings";
import type { StorageModule } from "../../../src/device";
import { SimulatedHost } from "./simulated-host";
import { TestClient } from "./test-client";

/** A broker on a simulated host, and clients for it. */
export class BrokerHarness {
	readonly host: SimulatedHost;
	readonly broker: Broker;

	/** @param storage storage of persistent state; undefined: no persistence */
	constructor(settings: Partial<ListenSettings> = {}, storage?: StorageModule, clockIsSet = true) {
		this.host = new SimulatedHost(storage);
		this.host.clockIsSet = clockIsSet;
		this.broker = new Broker(this.host, {
			...defaults.listen,
			anonymous: true,
			persist: storage !== undefined,
			persistInterval: 60_000,
			...settings,
		});
		this.broker.start();
	}

	/** Opens a connection without sending anything. @param address of the client */
	peer(version: 4 | 5 = 5, address?: string): TestClient {
		const peer = new TestClient(this.host, version, address);
		this.host.run();
		return peer;
	}

	/** Connects a client; throws if the broker refuses it. */
	client(id: string, version: 4 | 5 = 5, fields: Record<string, unknown> = {}): TestClient {
		const peer = this.peer(version);
		const connack = peer.connect(id, fields) as { reasonCode?: number; returnCode?: number } | undefined;
		if ((connack?.reasonCode ?? connack?.returnCode) !== 0)
			throw new Error(`refused: ${JSON.stringify(connack)}`);
		return peer;
	}

	/** The current values: topic → [payload, time, retained]. */
	values(): Map<string, [string, number, boolean]> {
		const result = new Map<string, [string, number, boolean]>();
		this.broker.forEachValue((bytes, topicStart, topicEnd, payloadStart, payloadEnd, time, retained) => {
			const decodeText = (start: number, end: number) => Buffer.from(bytes.slice(start, end)).toString();
			result.set(decodeText(topicStart, topicEnd), [decodeText(payloadStart, payloadEnd), time, retained]);
		});
		return result;
	}
}
