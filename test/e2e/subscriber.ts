import { connectAsync, type MqttClient } from "mqtt";

/** Longest wait for messages, ms: as long as a machine with much other work may need. */
const TIMEOUT_MS = 120_000;
const MARKER = "marker";

export interface Report {
	readonly seq: number;
	readonly time: string | null;
	readonly [column: string]: number | string | null;
}

/** An MQTT.js client with a persistent session, which a restarted broker sends the missed messages. */
export class Subscriber {
	readonly reports: Report[] = [];
	readonly #client: MqttClient;
	#onMarker: () => void = () => {};

	private constructor(client: MqttClient) {
		this.#client = client;
		client.on("message", (topic, payload) => {
			if (topic === MARKER) this.#onMarker();
			else this.reports.push(JSON.parse(payload.toString()) as Report);
		});
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

	/** Number of different reports. */
	get count(): number {
		return new Set(this.reports.map(({ seq }) => seq)).size;
	}

	/** Waits for a number of different reports; gives up after two minutes. */
	async waitForCount(count: number): Promise<void> {
		const end = performance.now() + TIMEOUT_MS;
		while (this.count < count && performance.now() < end)
			await new Promise((resolve) => setTimeout(resolve, 20));
	}

	/** Waits for a number of different reports, then for all messages that the broker has for it. */
	async waitForReports(count: number): Promise<readonly Report[]> {
		await this.waitForCount(count);
		const marked = new Promise<void>((resolve) => {
			this.#onMarker = resolve;
		});
		await this.#client.publishAsync(MARKER, "", { qos: 1 });
		await marked;
		return this.reports;
	}

	async end(): Promise<void> {
		await this.#client.endAsync(true);
	}
}
