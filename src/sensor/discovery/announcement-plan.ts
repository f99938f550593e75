import type { DiscoverySettings, Settings } from "../../config/types";
import type { Device } from "../../device";
import { fnv1aOfText } from "../../text/fnv1a";
import {
	type Announced,
	announcedName,
	announcedText,
	homieLine,
	NOTHING_ANNOUNCED,
	nameOf,
} from "./announced-names";
import { type Announcement, ShortAnnouncement } from "./announcement";
import { HomeAssistantAnnouncement, homeAssistantTopic } from "./home-assistant";
import { HomieDescription, homieBase, homieValueTopic } from "./homie";

const NO_NAMES: readonly string[] = Object.freeze([]);

type Identity = Pick<Device, "mac" | "chip">;

/** Versions of descriptions that follow another one: above all hashes. */
const FIRST_COUNTED_VERSION = 0x1_0000_0000;

/**
 * What a node with these settings announces, as it is stored.
 * @param before and @param hash as for {@link announcementAt}
 */
export function announcedBy(
	{ id, sensors }: Settings,
	discovery: DiscoverySettings,
	before: Announced,
	hash: number,
): string {
	const { formats } = discovery;
	return announcedText(
		formats.includes("homeassistant") ? homeAssistantTopic(discovery, id) : "",
		homieLine({
			homieBase: formats.includes("homie") ? homieBase(discovery, id) : "",
			homieVersion: descriptionVersion(before, hash),
			homieHash: hash,
		}),
		sensors,
	);
}

/**
 * Version of Homie's description: a higher one when it is another ("Device Attributes" of the convention).
 * Where nothing is known of one before, the hash.
 */
function descriptionVersion({ homieBase, homieVersion, homieHash }: Announced, hash: number): number {
	if (homieBase === "") return hash;
	if (homieHash === hash) return homieVersion;
	return homieVersion < FIRST_COUNTED_VERSION ? FIRST_COUNTED_VERSION : homieVersion + 1;
}

/**
 * A message of an announcement, in the order in which they are sent: one at a time, as they take RAM.
 * @param index from 0 on
 * @param before what was announced last, and is taken back where it is no more
 * @param hash of the settings
 * @returns undefined: there are no more
 */
export function announcementAt(
	index: number,
	settings: Settings,
	discovery: DiscoverySettings,
	device: Identity,
	before: Announced,
	hash: number,
	staysConnected: boolean,
): Announcement | undefined {
	const { formats } = discovery;
	const topic = formats.includes("homeassistant") ? homeAssistantTopic(discovery, settings.id) : "";
	const base = formats.includes("homie") ? homieBase(discovery, settings.id) : "";
	const hadTopic = before.homeAssistantTopic;
	const hadBase = before.homieBase;
	let left = index;
	if (hadTopic !== "" && hadTopic !== topic && left-- === 0) return new ShortAnnouncement(hadTopic, "");
	if (hadBase !== "" && hadBase !== base) {
		// Homie 5, "Device Lifecycle": first the state, which ends the device, then all else.
		if (left-- === 0) return new ShortAnnouncement(stateTopic(hadBase), "");
		if (left-- === 0) return new ShortAnnouncement(`${hadBase}/$description`, "");
		if (left < before.names.length) return removedValue(hadBase, before.names[left]);
		left -= before.names.length;
	}
	if (topic !== "") {
		const removed = removedNames(before, settings, true);
		// A component is removed by name and platform, and left out, or another one, only then.
		if (removed.length > 0 && hadTopic === topic && left-- === 0)
			return new HomeAssistantAnnouncement(settings, discovery, device, removed);
		if (left-- === 0) return new HomeAssistantAnnouncement(settings, discovery, device, NO_NAMES);
	}
	if (base === "") return undefined;
	// The description may change in this state only.
	if (left-- === 0) return new ShortAnnouncement(stateTopic(base), "init");
	if (left-- === 0)
		return new HomieDescription(settings, discovery, device, descriptionVersion(before, hash));
	if (hadBase === base) {
		const removed = removedNames(before, settings, false);
		if (left < removed.length) return removedValue(base, removed[left]);
		left -= removed.length;
	}
	if (left-- === 0) return new ShortAnnouncement(stateTopic(base), "ready");
	return left === 0 && !staysConnected ? new ShortAnnouncement(stateTopic(base), "sleeping") : undefined;
}

/** The state that a node has between two announcements, in the Homie convention. */
export function stateAnnouncement(
	{ id }: Settings,
	discovery: DiscoverySettings,
	staysConnected: boolean,
): Announcement {
	const topic = stateTopic(homieBase(discovery, id));
	return new ShortAnnouncement(topic, staysConnected ? "ready" : "sleeping");
}

/**
 * What of the sensors that were announced is no more.
 * @param ofKind whether one that is on or off now, or is not any more, is another
 */
function removedNames({ names }: Announced, { sensors }: Settings, ofKind: boolean): readonly string[] {
	if (names.length === 0) return NO_NAMES;
	return names.filter((name) =>
		sensors.every((sensor) => (ofKind ? announcedName(sensor) !== name : sensor.name !== nameOf(name))),
	);
}

function removedValue(base: string, announced: string): Announcement {
	return new ShortAnnouncement(homieValueTopic(base, nameOf(announced)), "");
}

function stateTopic(base: string): string {
	return `${base}/$state`;
}

/**
 * Changes with everything that is announced, and with the broker. For start-up: allocates.
 * @param settings of the device, or of any device
 */
export function announcementHash(
	settings: Settings,
	discovery: DiscoverySettings,
	brokerHash: number,
): number {
	const identity = { mac: "{mac}", chip: "{chip}" };
	const staysConnected = settings.sleep.mode !== "deep";
	let text = `${brokerHash}`;
	for (let index = 0; ; index++) {
		const message = announcementAt(
			index,
			settings,
			discovery,
			identity,
			NOTHING_ANNOUNCED,
			0,
			staysConnected,
		);
		if (message === undefined) return fnv1aOfText(text);
		text += message.topic;
		for (let i = 0; i < message.partCount; i++) text += message.part(i);
	}
}
