/** Words of keys that are written otherwise in a title. */
const spellings: Readonly<Record<string, string>> = {
	id: "ID",
	url: "URL",
	qos: "QoS",
	ssid: "SSID",
};

/** The title of a key: `subscriptionsPerClient` is `Subscriptions per client`. */
export function titleOf(key: string): string {
	const words = key.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`).split(" ");
	const title = words.map((word) => spellings[word] ?? word).join(" ");
	return title[0].toUpperCase() + title.slice(1);
}
