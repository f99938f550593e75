/** Three brokers on real sockets that share no code: mosquitto, aedes and the on-device broker. */
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { Aedes } from "aedes";
import { Broker } from "../../src/broker/broker";
import { defaults } from "../../src/config/defaults";
import { nodeHost } from "../broker/support/node-host";
import { Mosquitto, mosquittoInstalled } from "../support/mosquitto";

export interface LiveBroker {
	readonly port: number;
	stop(): Promise<void>;
}

export interface BrokerKind {
	readonly name: string;
	readonly versions: readonly (4 | 5)[];
	/** Why its tests are skipped; false: they run. */
	readonly skip: string | false;
	start(): Promise<LiveBroker>;
}

const onDevice: BrokerKind = {
	name: "the on-device broker",
	versions: [4, 5],
	skip: false,
	async start() {
		const broker = new Broker(nodeHost(), {
			...defaults.listen,
			anonymous: true,
			port: 0,
			connections: 20,
			sessions: 400,
			sessionBytes: 40_960,
			subscriptions: 400,
			queuedMessages: 1600,
			queuedBytes: 65_536,
			packetSize: 16_384,
			topicAliases: 2,
			aliasBytes: 65_536,
		});
		broker.start();
		while (broker.port === 0) await new Promise(setImmediate);
		return { port: broker.port, stop: async () => broker.stop() };
	},
};

const aedes: BrokerKind = {
	name: "aedes",
	versions: [4],
	skip: false,
	async start() {
		const broker = await Aedes.createBroker();
		const server = createServer(broker.handle);
		server.listen(0, "127.0.0.1");
		await once(server, "listening");
		return {
			port: (server.address() as AddressInfo).port,
			async stop() {
				server.close();
				await new Promise<void>((resolve) => broker.close(() => resolve()));
			},
		};
	},
};

const mosquitto: BrokerKind = {
	name: "mosquitto",
	versions: [4, 5],
	skip: mosquittoInstalled ? false : "mosquitto is not installed",
	start: () => Mosquitto.start(),
};

export const liveBrokers: readonly BrokerKind[] = [mosquitto, onDevice, aedes];
