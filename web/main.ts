import { openSession } from "./session";
import { ageOf, span, Values } from "./values";

/*
 * Makes the status page live: its values come by MQTT over WebSocket from the broker that has sent it.
 * Without this script the page can be read, and shown anew, all the same.
 */

const MAX_RETRY_MS = 60_000;
const TICK_MS = 1000;
/** Return codes of CONNACK (MQTT 3.1.1 §3.2.2.3). */
const SERVER_UNAVAILABLE = 3;
const BAD_CREDENTIALS = 4;
const NOT_AUTHORIZED = 5;

/** The broker tells it every ten seconds. */
const CLIENTS_TOPIC = "$SYS/broker/clients/connected";

const loadedAt = Date.now();
const [up, clients, now] = document.querySelectorAll("dd");
const upAtLoad = ageOf(up!);
const nowAtLoad = Date.parse(now?.querySelector("time")?.dateTime ?? "");
const clientsAtMost = clients!.textContent.replace(/^\d+/, "");
const footer = document.querySelector("footer")!;
const values = new Values(document.querySelector("tbody")!);
const text = new TextDecoder();
let user: string | undefined;
let password = "";
let failures = 0;
let retry = 0;
let end = (): void => {};

function connect(): void {
	const url = `${location.protocol.replace("http", "ws")}//${location.host}/`;
	end = openSession(url, ["#", CLIENTS_TOPIC], user, password, {
		onOpen() {
			failures = 0;
			footer.textContent = "Live";
			document.body.className = "live";
		},
		onMessage(topic, payload, retained) {
			const name = shown(topic);
			if (name === CLIENTS_TOPIC) clients!.textContent = text.decode(payload) + clientsAtMost;
			else values.set(name, payload, retained);
		},
		onClosed(code) {
			document.body.className = "";
			if (code === BAD_CREDENTIALS || code === NOT_AUTHORIZED) return askLogin();
			footer.textContent = code === SERVER_UNAVAILABLE ? "Not live: no place yet" : "Not live: no connection";
			retry = setTimeout(connect, Math.min(MAX_RETRY_MS, 1000 * 2 ** failures++));
		},
	});
}

/** A topic as the broker writes it: control characters are spaces. */
function shown(topic: Uint8Array): string {
	// biome-ignore lint/suspicious/noControlCharactersInRegex: these are meant
	return text.decode(topic).replace(/[\0-\x1f\x7f-\x9f]/g, " ");
}

/** The browser does not tell scripts the login that it has used for the page. */
function askLogin(): void {
	const form = document.createElement("form");
	const input = (name: string, type: string, hint: string): HTMLInputElement => {
		const field = document.createElement("input");
		field.type = type;
		field.placeholder = name;
		field.ariaLabel = name;
		field.autocomplete = hint as AutoFill;
		return field;
	};
	const name = input("User", "text", "username");
	const secret = input("Password", "password", "current-password");
	const button = document.createElement("button");
	button.textContent = "Live view";
	name.value = user ?? "";
	form.append(user === undefined ? "" : "Not accepted. ", name, secret, button);
	form.onsubmit = (event) => {
		event.preventDefault();
		user = name.value;
		password = secret.value;
		footer.textContent = "Connecting…";
		connect();
	};
	footer.replaceChildren(form);
}

setInterval(() => {
	const elapsed = Date.now() - loadedAt;
	values.tick();
	up!.textContent = span(upAtLoad + elapsed);
	if (nowAtLoad > 0)
		now!.textContent = `${new Date(nowAtLoad + elapsed).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}, TICK_MS);
// A page that nobody sees leaves its place to others.
document.onvisibilitychange = () => {
	if (footer.querySelector("form") !== null) return;
	clearTimeout(retry);
	end();
	document.body.className = "";
	if (!document.hidden) connect();
};
connect();
