import { defaults } from "../../src/config/defaults";
import { formatDuration, parseDuration } from "../../src/config/duration";
import { batteryFields } from "../../src/config/fields/battery";
import { fireflyFields } from "../../src/config/fields/firefly";
import { sensorFields } from "../../src/config/fields/sensor";
import { limits } from "../../src/config/limits";
import { userProblem } from "../../src/config/validators";
import { AWAKE_WAIT_LIMIT_MS } from "../../src/sensor/time/schedule";
import { bridgeProblems } from "./bridge";
import { discoveryProblems } from "./discovery";
import type { ManifestView } from "./json";
import { type Overrides, overrideSources, secretAdvice } from "./overrides";
import type { Path, Problem } from "./problem";
import { valueAt } from "./schema-problems";
import { sizeProblems } from "./sizes";
import { didYouMean, nearest } from "./suggest";

const root: Path = ["config", "firefly"];

/**
 * Problems that no schema can express: inconsistent values. Values that the schema rejects are skipped.
 * @param onChip whether it is for a chip; if not, for a broker on this machine
 */
export function ruleProblems(document: ManifestView, overrides: Overrides, onChip = true): Problem[] {
	const rules = new ConfigRules(document, overrides, onChip);
	rules.checkPresence();
	rules.checkSecrets();
	rules.checkSensors();
	rules.checkTopic();
	rules.checkTimes();
	rules.checkBattery();
	rules.checkPools();
	rules.checkAccess();
	rules.checkPorts();
	rules.problems.push(...bridgeProblems(document, overrides));
	return onChip
		? [...rules.problems, ...discoveryProblems(document), ...sizeProblems(document, overrides, onChip)]
		: rules.problems;
}

class ConfigRules {
	readonly problems: Problem[] = [];
	readonly #document: ManifestView;
	readonly #overrides: Overrides;
	readonly #hasSensorRole: boolean;
	readonly #names: string[] = [];

	constructor(document: ManifestView, overrides: Overrides, onChip: boolean) {
		this.#document = document;
		this.#overrides = overrides;
		const role = this.#get("role") ?? defaults.role;
		this.#hasSensorRole = onChip && (role === "sensor" || role === "both");
		for (let i = 0; i < this.#sensorCount; i++)
			this.#names.push(String(this.#get("sensors", i, "name") ?? ""));
	}

	checkPresence(): void {
		const config = valueAt(this.#document.value, ["config"]);
		if (typeof config === "object" && config !== null)
			for (const key of Object.keys(config))
				if (key !== "firefly" && nearest(key, ["firefly"]) !== undefined)
					this.#addKeyProblem(["config", key], 'is not a known key; did you mean "firefly"?');
				else if (Object.hasOwn(fireflyFields, key))
					this.#addKeyProblem(["config", key], `is read nowhere; did you mean "config.firefly.${key}"?`);
		if (valueAt(this.#document.value, root) === undefined) {
			this.#addProblem(
				config === undefined ? [] : ["config"],
				`lacks "${config === undefined ? "config.firefly" : "firefly"}"`,
			);
			return;
		}
		if (!this.#hasSensorRole) return;
		if (this.#sensorCount === 0)
			this.#addProblem(
				this.#get("sensors") === undefined ? root : [...root, "sensors"],
				"a sensor node needs sensors",
			);
		if (this.#get("broker", "url") === undefined && this.#overrides.broker_url === undefined)
			this.#addProblem(
				this.#get("broker") === undefined ? root : [...root, "broker"],
				`lacks "${this.#get("broker") === undefined ? "broker.url" : "url"}"${this.#get("role") === "both" ? ", to which the sensors report; they do not report to this device's own broker by themselves" : ""}`,
			);
		if (
			this.#get("wifi") !== undefined &&
			this.#get("wifi", "ssid") === undefined &&
			this.#overrides.wifi_ssid === undefined
		)
			this.#addProblem([...root, "wifi"], 'lacks "ssid"');
		if (this.#get("wifi", "mode") === "accessPoint" && (this.#get("role") ?? defaults.role) === "sensor")
			this.#addProblem(
				[...root, "wifi", "mode"],
				'"accessPoint" is for a broker, which stays awake; a sensor joins',
			);
	}

	checkSecrets(): void {
		for (const { key, path, secret } of overrideSources)
			for (const place of [
				[...root, ...path],
				["config", key],
			])
				if (secret && valueAt(this.#document.value, place) !== undefined)
					this.#addKeyProblem(place, secretAdvice(key));
		if (valueAt(this.#document.value, ["config", "ssid"]) !== undefined)
			this.#addKeyProblem(
				["config", "ssid"],
				"holds the start of the SDK until Wi-Fi is up; use config.firefly.wifi.ssid",
			);
	}

	checkSensors(): void {
		for (const [index, name] of this.#names.entries()) {
			this.#checkSamples(index);
			const first = this.#names.indexOf(name);
			if (name !== "" && first < index)
				this.#addProblem(
					[...root, "sensors", index, "name"],
					`"${name}" is also the name of sensors[${first}]`,
				);
			if (this.#get("sensors", index, "scale") === 0)
				this.#addProblem([...root, "sensors", index, "scale"], "0 makes all values the same");
			const every = this.#duration("sensors", index, "every") ?? defaults.sensor.every;
			const heartbeat = this.#duration("sensors", index, "heartbeat");
			if (heartbeat !== undefined && heartbeat < every)
				this.#addProblem(
					[...root, "sensors", index, "heartbeat"],
					`"${this.#get("sensors", index, "heartbeat")}" is less than every, ${formatDuration(every)}`,
				);
			if (this.#get("sensors", index, "qos") === 2) this.#checkSession([...root, "sensors", index, "qos"]);
		}
	}

	/** QoS 2 is exactly once only while both ends remember: in a session that outlives the connection. */
	#checkSession(path: Path): void {
		const { broker } = defaults;
		if (this.#get("broker", "cleanStart") ?? broker.cleanStart)
			this.#addProblem(
				path,
				'2 is exactly once only in a session that the broker keeps: set "cleanStart" to false, and "sessionExpiry" to "1d" or so, in broker',
			);
		else if (
			(this.#get("broker", "version") ?? broker.version) === 5 &&
			(this.#duration("broker", "sessionExpiry") ?? broker.sessionExpiry) === 0
		)
			this.#addProblem(
				path,
				'2 is exactly once only in a session that the broker keeps: set "sessionExpiry" to "1d" or so in broker',
			);
	}

	/** Reports samples of a value that do not fit its period, or the wake that waits for them. */
	#checkSamples(index: number): void {
		const at = [...root, "sensors", index];
		const samples = this.#integer("sensors", index, "samples") ?? defaults.sensor.samples;
		const configured = this.#duration("sensors", index, "spacing");
		if (samples === 1) {
			for (const key of ["spacing", "aggregate"])
				if (this.#get("sensors", index, key) !== undefined)
					this.#addProblem([...at, key], "has no effect without samples, of which a value then has several");
			return;
		}
		const every = this.#duration("sensors", index, "every") ?? defaults.sensor.every;
		const spacing = configured ?? every / samples;
		const span = spacing * (samples - 1);
		const place = [...at, configured === undefined ? "samples" : "spacing"];
		const { minimum } = sensorFields.spacing;
		if (span >= every)
			this.#addProblem(
				place,
				`${samples} samples take ${formatDuration(span)}, which is not less than every, ${formatDuration(every)}`,
			);
		else if (spacing < minimum)
			this.#addProblem(
				place,
				`${samples} samples in every, ${formatDuration(every)}, are less than ${formatDuration(minimum)} apart`,
			);
		const awakeLimit = this.#duration("sleep", "awakeLimit") ?? defaults.sleep.awakeLimit;
		const sleeps = this.#hasSensorRole && (this.#get("sleep", "mode") ?? defaults.sleep.mode) === "deep";
		if (sleeps && spacing <= AWAKE_WAIT_LIMIT_MS && span > awakeLimit / 2)
			this.#addProblem(
				place,
				`${samples} samples keep the node awake for ${formatDuration(span)}, more than half of sleep.awakeLimit, ${formatDuration(awakeLimit)}`,
			);
	}

	checkTopic(): void {
		const topic = this.#get("topic");
		if (typeof topic !== "string" || topic.includes("{sensor}") || this.#sensorCount < 2) return;
		if ((this.#get("payload") ?? defaults.payload) === "value")
			this.#addProblem(
				[...root, "topic"],
				`"${topic}" lacks {sensor}, which tells the bare values of ${this.#sensorCount} sensors apart; or set payload to "json"`,
			);
	}

	checkTimes(): void {
		const { sleep, broker, backoff } = defaults;
		const limit = this.#duration("sleep", "awakeLimit") ?? sleep.awakeLimit;
		if ((this.#get("sleep", "mode") ?? sleep.mode) === "deep" && this.#hasSensorRole) {
			this.#checkTimeout(limit, ["broker", "connectTimeout"], broker.connectTimeout);
			this.#checkTimeout(limit, ["broker", "acknowledgeTimeout"], broker.acknowledgeTimeout);
		}
		const minimum = this.#duration("backoff", "minimum") ?? backoff.minimum;
		const maximum = this.#duration("backoff", "maximum") ?? backoff.maximum;
		if (maximum < minimum) {
			const key = this.#get("backoff", "maximum") === undefined ? "minimum" : "maximum";
			const other =
				key === "maximum"
					? `less than minimum, ${formatDuration(minimum)}`
					: `more than maximum, ${formatDuration(maximum)}`;
			this.#addProblem([...root, "backoff", key], `"${this.#get("backoff", key)}" is ${other}`);
		}
	}

	/** Reports a timeout that the end of the wake precedes. */
	#checkTimeout(limit: number, path: readonly [string, string], fallback: number): void {
		const written = this.#get(...path);
		const value = this.#duration(...path);
		if (written !== undefined && value !== undefined && value >= limit)
			this.#addProblem(
				[...root, ...path],
				`"${written}" is not less than sleep.awakeLimit, ${formatDuration(limit)}, which ends the wake first`,
			);
		if (written === undefined && fallback >= limit && this.#get("sleep", "awakeLimit") !== undefined)
			this.#addProblem(
				[...root, "sleep", "awakeLimit"],
				`"${this.#get("sleep", "awakeLimit")}" is not more than ${path.join(".")}, ${formatDuration(fallback)}; shorten that too`,
			);
	}

	checkBattery(): void {
		if (this.#get("battery") === undefined) return;
		const at = [...root, "battery"];
		const { low, empty } = batteryFields;
		const name = this.#get("battery", "sensor");
		const index = this.#names.indexOf(String(name));
		if (typeof name === "string" && index < 0)
			this.#addProblem(
				[...at, "sensor"],
				`${JSON.stringify(name)} is no sensor's name${didYouMean(nearest(name, this.#names))}`,
			);
		if (this.#get("sensors", index, "unit") === "%")
			for (const key of ["low", "empty"])
				if (this.#get("battery", key) === undefined)
					this.#addProblem(at, `lacks "${key}", whose default is in V, while ${name} is in %`);
		const lowest = this.#number("battery", "empty") ?? empty.default;
		const threshold = this.#number("battery", "low") ?? low.default;
		if (threshold < lowest) {
			const key = this.#get("battery", "low") === undefined ? "empty" : "low";
			this.#addProblem(
				[...at, key],
				key === "low"
					? `${threshold} is less than empty, ${lowest}`
					: `${lowest} is more than low, ${threshold}`,
			);
		}
		if (!this.#hasSensorRole) return;
		if (this.#get("role") === "both" || (this.#get("sleep", "mode") ?? defaults.sleep.mode) !== "deep")
			this.#addProblem(at, "has no effect on a node that stays awake");
	}

	checkPools(): void {
		const connections = this.#integer("listen", "connections") ?? defaults.listen.connections;
		const sessions = this.#integer("listen", "sessions") ?? defaults.listen.sessions;
		if (connections <= sessions) return;
		const key = this.#get("listen", "sessions") === undefined ? "connections" : "sessions";
		this.#addProblem(
			[...root, "listen", key],
			key === "sessions"
				? `${sessions} is less than connections, ${connections}`
				: `${connections} is more than sessions, ${sessions}`,
		);
	}

	/** Checks users and access rules. */
	checkAccess(): void {
		const users = this.#get("listen", "users");
		const names = typeof users === "object" && users !== null ? Object.keys(users) : [];
		const at = [...root, "listen", "users"];
		for (const [index, name] of names.entries()) {
			const wrong = userProblem(name);
			if (wrong !== undefined) this.#addKeyProblem([...at, name], `is the name of a user, but ${wrong}`);
			else if (index === limits.users)
				this.#addKeyProblem([...at, name], `is one user more than the ${index} there may be`);
		}
		const acl = this.#get("listen", "acl");
		for (const [index, rule] of (Array.isArray(acl) ? acl : []).entries()) {
			const { allow, deny, user } = Object(rule) as Readonly<Record<string, unknown>>;
			const path = [...root, "listen", "acl", index];
			if ((allow === undefined) === (deny === undefined))
				this.#addProblem(path, 'needs either "allow" or "deny"');
			if (typeof user === "string" && !names.includes(user))
				this.#addProblem(
					[...path, "user"],
					`${JSON.stringify(user)} is no user of listen.users${didYouMean(nearest(user, names))}`,
				);
		}
		const role = this.#get("role");
		if (
			(role !== "broker" && role !== "both") ||
			names.length > 0 ||
			this.#get("listen", "anonymous") === true
		)
			return;
		const listen = this.#get("listen") === undefined ? root : [...root, "listen"];
		this.#addProblem(
			listen,
			'a broker without users lets nobody in; add one with "firefly passwd NAME --manifest FILE", or set listen.anonymous to true',
		);
	}

	/** Reports equal ports, unless the host chooses them. */
	checkPorts(): void {
		const port = this.#integer("listen", "port") ?? defaults.listen.port;
		const webSocket = this.#integer("listen", "webSocket");
		const tls =
			this.#get("listen", "tls") === undefined ? undefined : (this.#integer("listen", "tls", "port") ?? 8883);
		const path = [...root, "listen", "webSocket"];
		if (tls !== undefined && tls !== 0 && tls === port)
			this.#addProblem([...root, "listen", "tls", "port"], `${tls} is the port of MQTT over TCP too`);
		if (webSocket === undefined || webSocket === 0) return;
		if (webSocket === port) this.#addProblem(path, `${webSocket} is the port of MQTT over TCP too`);
		else if (webSocket === tls) this.#addProblem(path, `${webSocket} is the port of TLS too`);
	}

	get #sensorCount(): number {
		const sensors = this.#get("sensors");
		return Array.isArray(sensors) ? sensors.length : 0;
	}

	#get(...path: (string | number)[]): unknown {
		return valueAt(this.#document.value, [...root, ...path]);
	}

	#duration(...path: (string | number)[]): number | undefined {
		const value = this.#get(...path);
		return typeof value === "string" ? parseDuration(value) : undefined;
	}

	#number(...path: (string | number)[]): number | undefined {
		const value = this.#get(...path);
		return typeof value === "number" ? value : undefined;
	}

	#integer(...path: (string | number)[]): number | undefined {
		const value = this.#get(...path);
		return typeof value === "number" && Number.isInteger(value) ? value : undefined;
	}

	#addProblem(path: Path, message: string): void {
		this.problems.push(this.#document.at(path, message));
	}

	#addKeyProblem(path: Path, message: string): void {
		this.problems.push(this.#document.atKey(path, message));
	}
}
