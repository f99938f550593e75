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
/** Likewise, in seconds: the broker may have been started again since it sent this page. */
const UPTIME_TOPIC = "$SYS/broker/uptime";

const LOST = "lost";
const LOGIN =
	"<form><input placeholder=User aria-label=User autocomplete=username><input type=password placeholder=Password aria-label=Password autocomplete=current-password><button>Live view</button></form>";

const { body } = document;
const loadedAt = Date.now();
const [up, clients, now] = document.querySelectorAll("dd");
/** Start of the broker, ms by this browser's clock. */
let startedAt = loadedAt - ageOf(up!);
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
	const filters = ["#", CLIENTS_TOPIC, UPTIME_TOPIC];
	end = openSession(location.origin.replace("http", "ws"), filters, user, password, {
		onOpen() {
			failures = 0;
			footer.textContent = "Live";
			body.className = "live";
		},
		onMessage(topic, payload, retained) {
			const name = shown(topic);
			if (name === CLIENTS_TOPIC) clients!.textContent = text.decode(payload) + clientsAtMost;
			else if (name === UPTIME_TOPIC) startedAt = Date.now() - Number(text.decode(payload)) * 1000;
			else values.set(name, payload, retained);
		},
		onClosed(code) {
			// The footer stays in view, and what is shown is of before.
			body.className = LOST;
			if (code === BAD_CREDENTIALS || code === NOT_AUTHORIZED) return askLogin();
			footer.textContent = `Not live: no ${code === SERVER_UNAVAILABLE ? "place yet" : "connection"}`;
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
	footer.innerHTML = LOGIN;
	const form = footer.querySelector("form")!;
	const [name, secret] = form.querySelectorAll("input");
	name!.value = user ?? "";
	if (user !== undefined) form.prepend("Not accepted. ");
	form.onsubmit = (event) => {
		event.preventDefault();
		user = name!.value;
		password = secret!.value;
		footer.textContent = "Connecting…";
		connect();
	};
}

setInterval(() => {
	const time = Date.now();
	values.tick();
	if (body.className === LOST) return;
	up!.textContent = span(time - startedAt);
	if (nowAtLoad > 0)
		now!.textContent = `${new Date(nowAtLoad + time - loadedAt).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}, TICK_MS);
// A page that nobody sees leaves its place to others.
document.onvisibilitychange = () => {
	if (footer.querySelector("form") !== null) return;
	clearTimeout(retry);
	end();
	body.className = "";
	if (!document.hidden) connect();
};
connect();
