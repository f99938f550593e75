import { pbkdf2Sync, timingSafeEqual } from "node:crypto";
import { Rules } from "../../src/broker/access/rules";
import { Users } from "../../src/broker/access/users";
import { parsePasswordHash } from "../../src/config/password-hash";
import { readSettings } from "../../src/config/settings";
import type { Settings } from "../../src/config/types";
import { deriveSettings } from "../../src/sensor/settings/derived-settings";
import type { TopicTemplate } from "../../src/sensor/settings/topic";
import type { ManifestView } from "./json";
import type { Overrides } from "./overrides";
import type { Path, Problem } from "./problem";
import { valueAt } from "./schema-problems";
import { announcements } from "./sizes";

const root: Path = ["config", "firefly"];
/** Keeps the placeholders, as the manifest has them. */
const ANY_DEVICE = { mac: "{mac}", chip: "{chip}" };
const CHIP = "esp32";
/** Of a device that no access rule names. */
const SOME_MAC = "000000000000";

/** Warns where a device's own broker does not let its own node in, or denies what the node needs. */
export function ownAccessWarnings(document: ManifestView, overrides: Overrides): readonly Problem[] {
	const config = valueAt(document.value, ["config"]);
	const settings = readSettings({ ...Object(config), ...overrides }, ANY_DEVICE, () => {});
	const login = loginProblem(settings);
	if (login !== undefined) return [document.at(placeOf(document, "broker"), login)];
	return ruleProblems(settings).map((problem) => document.at([...root, "listen", "acl"], problem));
}

function placeOf(document: ManifestView, section: string): Path {
	return valueAt(document.value, [...root, section]) === undefined ? root : [...root, section];
}

function loginProblem({ broker, listen }: Settings): string | undefined {
	const { username, password } = broker;
	const { users, anonymous } = listen;
	// A broker without users asks for no password.
	if (users.length === 0) return undefined;
	if (username === undefined)
		return anonymous
			? undefined
			: "has no username, and this device's own broker lets in the users of listen.users only; put broker.username and broker.password of one in firefly.local.json";
	const user = users.find(({ name }) => name === username);
	if (user === undefined)
		return `${JSON.stringify(username)}, its username, is no user of listen.users: this device's own broker does not let its node in`;
	if (password === undefined)
		return `has no password for ${JSON.stringify(username)}: this device's own broker does not let its node in; put broker.password in firefly.local.json, or set FIREFLY_BROKER_PASSWORD`;
	return isPassword(password, user.hash)
		? undefined
		: `the password is not that of ${JSON.stringify(username)} in listen.users: this device's own broker does not let its node in; make its hash anew with "firefly passwd ${username}"`;
}

function isPassword(password: string, hash: string): boolean {
	const parts = parsePasswordHash(hash);
	if (parts === undefined) return false;
	const key = Buffer.from(parts.key, "base64");
	const salt = Buffer.from(parts.salt, "base64");
	return timingSafeEqual(pbkdf2Sync(password, salt, parts.iterations, key.length, "sha256"), key);
}

/** What a node sends to or asks of its broker. */
interface Access {
	/** `publish reports of t`; `subscribe to commands`. */
	readonly what: string;
	readonly action: "publish" | "subscribe";
	/** May hold `{mac}` and `{chip}`. */
	readonly topic: string;
	/** Whose reports they are. */
	readonly sensor?: string;
}

function ruleProblems(settings: Settings): string[] {
	const { broker, listen } = settings;
	if (listen.acl.length === 0) return [];
	// A rule may name the device that this manifest is for.
	const mac = listen.acl
		.map(({ topic, client = "" }) => /[0-9a-f]{12}/.exec(`${topic} ${client}`)?.[0])
		.find((found) => found !== undefined);
	const bytesOf = (text: string): Uint8Array =>
		Buffer.from(text.replaceAll("{mac}", mac ?? SOME_MAC).replaceAll("{chip}", CHIP));
	const clientId = bytesOf(broker.clientId);
	const users = new Users(listen.users);
	const user = broker.username === undefined ? 0 : users.findByName(broker.username);
	const identifiers = { identifierStart: () => 0, identifierEnd: () => clientId.length };
	const rules = new Rules(listen.acl, users, identifiers, clientId);
	const denied = accessesOf(settings).filter(({ action, topic }) => {
		const bytes = bytesOf(topic);
		return action === "publish"
			? !rules.mayPublish(user, 1, bytes, 0, bytes.length)
			: !rules.maySubscribe(user, 1, bytes, 0, bytes.length);
	});
	const reports = denied.filter(({ sensor }) => sensor !== undefined);
	// One rule will do for them.
	return denied
		.filter((access) => access.sensor === undefined || access === reports[0])
		.map(({ what, action, topic, sensor }) => {
			const more = sensor === undefined || reports.length === 1 ? "" : ` and ${reports.length - 1} more`;
			const rule = `{"allow": "${action}", "topic": ${JSON.stringify(filterOf(topic))}}`;
			return `no rule allows this device's own node to ${what}, ${JSON.stringify(topic)}${more}; add one such as ${rule}`;
		});
}

/** A filter for the topics of all devices with a manifest: a wildcard takes a whole level (§4.7.1.3). */
function filterOf(topic: string): string {
	return topic
		.split("/")
		.map((level) => (/\{(mac|chip)\}/.test(level) ? "+" : level))
		.join("/");
}

/** Of several sensors with one topic, the first. */
function accessesOf(settings: Settings): readonly Access[] {
	const { sensors, broker } = settings;
	const { topics, diagnostics, commandTopic, answerTopic } = deriveSettings(settings);
	const accesses: Access[] = [];
	const publishes = (what: string, topic: string | TopicTemplate, sensor?: string): void => {
		const text = typeof topic === "string" ? topic : textOf(topic);
		if (!accesses.some((access) => access.topic === text && access.action === "publish"))
			accesses.push({
				what: `publish ${what}`,
				action: "publish",
				topic: text,
				...(sensor === undefined ? {} : { sensor }),
			});
	};
	for (const [index, { name }] of sensors.entries()) publishes(`reports of ${name}`, topics[index]!, name);
	if (diagnostics !== undefined) publishes("diagnostics", diagnostics.topic);
	if (broker.will !== undefined) publishes("its will", broker.will.topic);
	if (answerTopic !== undefined) publishes("answers to commands", answerTopic);
	if (commandTopic !== undefined)
		accesses.push({ what: "subscribe to its commands", action: "subscribe", topic: textOf(commandTopic) });
	for (const { topic } of announcements(settings, ANY_DEVICE)) publishes("what announces it", topic);
	return accesses;
}

function textOf(template: TopicTemplate): string {
	return template
		.map((piece) => (typeof piece === "string" ? `{${piece}}` : Buffer.from(piece).toString()))
		.join("");
}
