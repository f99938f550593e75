/**
 * A retained message that announces something. Its payload is text in parts that are made one at a time, so
 * that neither the whole nor all of a sensor is ever in memory; a part is the same each time.
 */
export interface Announcement {
	readonly topic: string;
	/** 0: the payload is empty, and the broker forgets what it has retained. */
	readonly partCount: number;
	/** @param index 0 … partCount − 1 @returns may be empty */
	part(index: number): string;
}

/** A payload of a few words; an empty one makes the broker forget what it has retained. */
export class ShortAnnouncement implements Announcement {
	readonly topic: string;
	private readonly text: string;

	constructor(topic: string, text: string) {
		this.topic = topic;
		this.text = text;
	}

	get partCount(): number {
		return this.text === "" ? 0 : 1;
	}

	part(): string {
		return this.text;
	}
}

/** `"name":value`, after a comma; nothing without a value. */
export function member(name: string, value: string | number | undefined): string {
	return value === undefined ? "" : `,"${name}":${JSON.stringify(value)}`;
}

/** A sensor's name for people: `outside-air` is `Outside air`. */
export function displayName(name: string): string {
	const words = name.replaceAll("-", " ").replaceAll("_", " ").replaceAll(".", " ");
	return words[0].toUpperCase() + words.slice(1);
}
