import { connectAsync, type MqttClient } from "mqtt";

export interface Report {
	readonly seq: number;
	readonly time: string | null;
	readonly [column: string]: number | string | null;
}

/** An MQTT.js client with a persistent session, which a restarted broker sends the missed messages. */
export class Subscriber {
	readonly reports: Report[] = [];
	readonly #client: MqttClient;

	private constructor(client: MqttClient) {
		this.#client = client;
		client.on("message", (_, payload) => this.reports.push(JSON.parse(payload.toString()) as Report));
		client.on("error", () => {});
	}

	static async start(url: string): Promise<Subscriber> {
		const client = await connectAsync(url, {
			protocolVersion: 5,
			clientId: "subscriber",
			clean: false,
			reconnectPeriod: 50,
			properties: { sessionExpiryInterval: 86_400 },
		});
		const subscriber = new Subscriber(client);
		await client.subscribeAsync("#", { qos: 1 });
		return subscriber;
	}

	/** Waits until `isComplete`, then a moment for further messages; gives up after 20 s. */
	async waitForReports(isComplete: (reports: readonly Report[]) => boolean): Promise<readonly Report[]> {
		for (let i = 0; i < 200 && !isComplete(this.reports); i++)
			await new Promise((resolve) => setTimeout(resolve, 100));
		await new Promise((resolve) => setTimeout(resolve, 200));
		return this.reports;
	}

	async end(): Promise<void> {
		await this.#client.endAsync(true);
	}
}
