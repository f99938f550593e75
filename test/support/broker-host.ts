import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { Aedes } from "aedes";

interface ReceivedMessage {
	readonly topic: string;
	readonly payload: string;
}

/** An aedes on a port of the loopback, with what clients have published. */
export class BrokerHost {
	readonly messages: ReceivedMessage[] = [];
	readonly #broker: Aedes;
	readonly #server: Server;

	private constructor(broker: Aedes, server: Server) {
		this.#broker = broker;
		this.#server = server;
		broker.on("publish", ({ topic, payload }, client) => {
			if (client !== null) this.messages.push({ topic, payload: String(payload) });
		});
	}

	static async start(port: number): Promise<BrokerHost> {
		const broker = await Aedes.createBroker();
		const server = createServer(broker.handle);
		server.listen(port, "127.0.0.1");
		await once(server, "listening");
		return new BrokerHost(broker, server);
	}

	async close(): Promise<void> {
		await new Promise<void>((resolve) => this.#broker.close(resolve));
		await new Promise<void>((resolve) => this.#server.close(() => resolve()));
	}
}
