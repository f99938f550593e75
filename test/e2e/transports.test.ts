/** Nodes in the simulator, on XS, with a real broker over TLS and WebSocket. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { join, relative } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { loadManifest } from "../../cli/config/load";
import type { TimedEvent } from "../../sim/report/events";
import { runSimulation } from "../../sim/run";
import { type Certificate, CertificateFolder, opensslInstalled } from "../support/certificates";
import { freePort, Mosquitto, mosquittoInstalled } from "../support/mosquitto";

/** Types of a record and of a message of TLS (RFC 5246 §6.2.1, §7.4). */
const CHANGE_CIPHER_SPEC = 20;
const CERTIFICATE = 11;
const root = fileURLToPath(new URL("../..", import.meta.url));
const skip =
	(mosquittoInstalled && opensslInstalled) || process.env.FIREFLY_REQUIRE_PEERS
		? false
		: "mosquitto or openssl is not installed";

/**
 * Whether a session is resumed: the server's ChangeCipherSpec comes without a certificate before it (RFC 5246
 * §7.3). Undefined: neither has come yet.
 */
function handshakeOf(flight: Buffer): "full" | "resumed" | undefined {
	for (let at = 0; at + 5 < flight.length; ) {
		if (flight[at] === CHANGE_CIPHER_SPEC) return "resumed";
		const end = at + 5 + flight.readUInt16BE(at + 3);
		for (let message = at + 5; message + 4 <= end; message += 4 + flight.readUIntBE(message + 1, 3))
			if (flight[message] === CERTIFICATE) return "full";
		at = end;
	}
	return undefined;
}

describe("a node in the simulator", { skip }, () => {
	const folder = skip === false ? new CertificateFolder() : undefined;
	const brokers: Mosquitto[] = [];
	let ca: Certificate;
	let server: Certificate;
	let expired: Certificate;
	before(() => {
		const names = "IP:127.0.0.1";
		ca = folder!.make("authority");
		server = folder!.make("server", { names, issuer: ca });
		expired = folder!.make("expired", { names, issuer: ca, days: ["20200101000000Z", "20210101000000Z"] });
	});
	after(async () => {
		for (const broker of brokers) await broker.stop();
		folder?.remove();
	});

	/** Starts mosquitto with another listener. */
	async function start(port: number, settings: readonly string[]): Promise<Mosquitto> {
		const broker = await Mosquitto.start(["allow_anonymous true", `listener ${port} 127.0.0.1`, ...settings]);
		brokers.push(broker);
		return broker;
	}

	const secure = ({ pem, key }: Certificate): string[] => [
		`cafile ${ca.pem}`,
		`certfile ${pem}`,
		`keyfile ${key}`,
	];

	/** One sample each ten seconds, reported to a broker. */
	async function run(
		url: string,
		duration: number,
		onEvent?: (event: TimedEvent) => void,
	): Promise<TimedEvent[]> {
		const path = join(folder!.path, "manifest.json");
		const firmware = relative(folder!.path, join(root, "firmware"));
		const manifest = {
			include: [`${firmware}/manifest_sensor.json`, `${firmware}/drivers/virtual/manifest.json`],
			data: { "*": ["./authority"] },
			config: {
				firefly: {
					wifi: { ssid: "n" },
					broker: { url: "mqtts://127.0.0.1", tls: { ca: "authority.der" } },
					backoff: { minimum: "1s", maximum: "2s" },
					sensors: [{ name: "t", driver: "virtual", property: "thermometer.temperature", every: "10s" }],
				},
			},
		};
		writeFileSync(path, JSON.stringify(manifest));
		const loaded = loadManifest(path, {}, { broker_url: url });
		assert.ok("manifest" in loaded, JSON.stringify(loaded));
		const events: TimedEvent[] = [];
		await runSimulation({
			manifest: loaded.manifest,
			duration,
			speed: "max",
			seed: 1,
			broker: new URL(url),
			engine: "xs",
			listener: {
				event(event) {
					events.push(event);
					onEvent?.(event);
				},
			},
		});
		return events;
	}

	const count = (events: readonly TimedEvent[], type: TimedEvent["type"]): number =>
		events.filter((event) => event.type === type).length;

	/** Every report has arrived; what was accepted in the last moment may still wait. */
	function assertReported(events: readonly TimedEvent[]): void {
		const accepted = count(events, "accepted");
		assert.ok(accepted >= 5, `${accepted} reports`);
		assert.ok(count(events, "acknowledged") >= accepted - 1);
		assert.equal(count(events, "dropped"), 0);
	}

	test("each report arrives over WebSocket, TLS and both, in as many round trips as its layers take", async () => {
		const [webSocket, tls, both] = [await freePort(), await freePort(), await freePort()];
		await start(webSocket, [
			"protocol websockets",
			`listener ${tls} 127.0.0.1`,
			...secure(server),
			`listener ${both} 127.0.0.1`,
			"protocol websockets",
			...secure(server),
		]);
		for (const [url, roundTrips] of [
			[`ws://127.0.0.1:${webSocket}/mqtt`, 3],
			[`mqtts://127.0.0.1:${tls}`, 2],
			[`wss://127.0.0.1:${both}/mqtt`, 3],
		] as const) {
			const events = await run(url, 65_000);
			assertReported(events);
			assert.equal(count(events, "failed"), 0, url);
			// From the connection on, without the handshake of TLS, which this machine makes.
			for (const event of events)
				if (event.type === "exchange") assert.equal(event.roundTrips, roundTrips, url);
		}
	});

	test("a node that sleeps resumes its TLS session, and begins another where the broker has forgotten it", async () => {
		const port = await freePort();
		const broker = await start(port, secure(server));
		const handshakes: string[] = [];
		let connections = 0;
		// The broker restarts while the sixth connection waits: no later one meets the old process.
		const proxy = createServer(async (client) => {
			client.on("error", () => client.destroy());
			if (++connections === 6) {
				await broker.stop();
				await start(port, secure(server));
			}
			const upstream = connect(port, "127.0.0.1");
			let flight: Buffer | undefined = Buffer.alloc(0);
			upstream.on("data", (bytes) => {
				flight = flight && Buffer.concat([flight, bytes]);
				const handshake = flight && handshakeOf(flight);
				if (handshake === undefined) return;
				flight = undefined;
				handshakes.push(handshake);
			});
			client.pipe(upstream).pipe(client);
			upstream.on("error", () => client.destroy());
		});
		proxy.listen(0, "127.0.0.1");
		await once(proxy, "listening");
		const address = proxy.address() as AddressInfo;
		const events = await run(`mqtts://127.0.0.1:${address.port}`, 125_000);
		proxy.close();
		assertReported(events);
		assert.match(handshakes.join(" "), /^full( resumed){4} full( resumed){2,}$/);
	});

	test("while the broker's certificate is wrong, reports fail, say why, and nothing is lost", async () => {
		const port = await freePort();
		const wrong = await start(port, secure(expired));
		let failures = 0;
		let changed: Promise<unknown> | undefined;
		const events = await run(`mqtts://127.0.0.1:${port}`, 90_000, (event) => {
			if (event.type !== "failed" || ++failures !== 5) return;
			changed = wrong.stop().then(() => start(port, secure(server)));
		});
		await changed;
		const failed = events.filter((event) => event.type === "failed");
		assert.ok(failed.length >= 5);
		assert.equal(failed[0]!.fault, "configuration");
		const traces = events.flatMap((event) => (event.type === "trace" ? [event.message] : []));
		assert.ok(
			traces.some((message) => message.includes("the broker's certificate has expired")),
			traces.join("\n"),
		);
		assert.equal(count(events, "dropped"), 0);
		const last = events.findLast((event) => event.type === "acknowledged" || event.type === "accepted");
		const accepted = count(events, "accepted");
		const acknowledged = count(events, "acknowledged");
		assert.ok(last !== undefined && "waiting" in last);
		assert.equal(last.waiting, accepted - acknowledged);
	});
});
