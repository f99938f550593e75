import type { DiscoverySettings, Settings } from "../../config/types";
import type { Device } from "../../device";
import { fnv1aOfText } from "../../text/fnv1a";
import type { Announced } from "./announced-names";
import { type Announcement, ShortAnnouncement } from "./announcement";
import { HomeAssistantAnnouncement, homeAssistantTopic } from "./home-assistant";
import { HomieDescription, homieBase, homieValueTopic } from "./homie";

type Identity = Pick<Device, "mac" | "chip">;

/** What a node with these settings announces. */
export function announcedBy({ id, sensors }: Settings, discovery: DiscoverySettings): Announced {
	const { formats } = discovery;
	return {
		homeAssistantTopic: formats.includes("homeassistant") ? homeAssistantTopic(discovery, id) : "",
		homieBase: formats.includes("homie") ? homieBase(discovery, id) : "",
		names: sensors.map(({ name }) => name),
	};
}

/**
 * The messages of an announcement, in the order in which they are sent.
 * @param before what was announced last, and is taken back where it is no more
 * @param hash of the settings
 */
export function planAnnouncement(
	settings: Settings,
	discovery: DiscoverySettings,
	device: Identity,
	before: Announced,
	hash: number,
	staysConnected: boolean,
): Announcement[] {
	const now = announcedBy(settings, discovery);
	const removed = before.names.filter((name) => !now.names.includes(name));
	const messages: Announcement[] = [];
	const send = (topic: string, text: string): void => {
		messages.push(new ShortAnnouncement(topic, text));
	};
	if (before.homeAssistantTopic !== "" && before.homeAssistantTopic !== now.homeAssistantTopic)
		send(before.homeAssistantTopic, "");
	if (before.homieBase !== "" && before.homieBase !== now.homieBase) removeHomieDevice(before, send);
	if (now.homeAssistantTopic !== "") {
		// A component is removed by name, and left out only then.
		if (removed.length > 0 && before.homeAssistantTopic === now.homeAssistantTopic)
			messages.push(new HomeAssistantAnnouncement(settings, discovery, device, removed));
		messages.push(new HomeAssistantAnnouncement(settings, discovery, device, []));
	}
	if (now.homieBase !== "") {
		// The description may change in this state only.
		send(`${now.homieBase}/$state`, "init");
		messages.push(new HomieDescription(settings, discovery, device, hash));
		if (before.homieBase === now.homieBase)
			for (const name of removed) send(homieValueTopic(now.homieBase, name), "");
		send(`${now.homieBase}/$state`, "ready");
		if (!staysConnected) send(`${now.homieBase}/$state`, "sleeping");
	}
	return messages;
}

/** The state that a node has between two announcements, in the Homie convention. */
export function planState(
	{ id }: Settings,
	discovery: DiscoverySettings,
	staysConnected: boolean,
): Announcement[] {
	const topic = `${homieBase(discovery, id)}/$state`;
	return [new ShortAnnouncement(topic, staysConnected ? "ready" : "sleeping")];
}

/** Homie 5, "Device Lifecycle": first the state, which ends the device, then all else. */
function removeHomieDevice(
	{ homieBase, names }: Announced,
	send: (topic: string, text: string) => void,
): void {
	send(`${homieBase}/$state`, "");
	send(`${homieBase}/$description`, "");
	for (const name of names) send(homieValueTopic(homieBase, name), "");
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
	const nothing = { homeAssistantTopic: "", homieBase: "", names: [] };
	const staysConnected = settings.sleep.mode === "none";
	let text = `${brokerHash}`;
	for (const message of planAnnouncement(settings, discovery, identity, nothing, 0, staysConnected)) {
		text += message.topic;
		for (let i = 0; i < message.partCount; i++) text += message.part(i);
	}
	return fnv1aOfText(text);
}
