import { basename, join, resolve } from "node:path";
import { projectFolder } from "../../sim/cache/folder.mjs";
import type { DriverDeclaration } from "../../sim/manifest/driver-declaration";
import {
	passphraseProblem,
	secretProblem,
	ssidProblem,
	urlProblem,
	userProblem,
} from "../../src/config/validators";
import { ownDeclarations } from "../config/declarations";
import { meantDriver } from "../config/meant-driver";
import { Failure } from "../failure";
import { boardNamed, boards, DEFAULT_BOARD } from "./boards";
import { fireflyFrom } from "./location";
import {
	ANNOUNCED_BROKER,
	type Credentials,
	type Discovery,
	hasBroker,
	hasSensors,
	type Project,
	projectName,
	type Role,
} from "./project";
import { askChoice, askSecret, askText, type Choice, choiceProblem } from "./questions";
import type { Terminal } from "./terminal";

/** What the command line says; what is absent is asked for. */
export interface ProjectOptions {
	readonly role?: string;
	readonly driver?: string;
	readonly board?: string;
	readonly ssid?: string;
	readonly broker?: string;
	readonly user?: string;
	readonly discovery?: string;
}

/** The broker of a device that is one itself. */
const OWN_BROKER = "mqtt://127.0.0.1";

const roleChoice: Choice = {
	choices: {
		sensor: "measures, reports, sleeps",
		broker: "receives what others report",
		both: "a broker with sensors of its own",
	},
	fallback: "sensor",
};

/** A broker on the device has to be larger for what discovery sends. */
const discoveryChoice = (role: Role): Choice => ({
	choices: {
		homeassistant: "Home Assistant finds it, with an entity for each sensor",
		homie: "the Homie convention 5",
		none: "it reports to its topics only",
	},
	fallback: role === "sensor" ? "homeassistant" : "none",
});

const boardChoice: Choice = { choices: boards, fallback: DEFAULT_BOARD, find: boardNamed };

/** Drivers of Firefly. */
function driverChoice(drivers: ReadonlyMap<string, DriverDeclaration>): Choice {
	const titles = [...drivers].map(([name, { title, properties }]) => {
		const measured = Object.keys(properties).map((property) => property.slice(property.lastIndexOf(".") + 1));
		return [name, `${title}: ${measured.join(", ")}`] as const;
	});
	const parts = new Map([...drivers].map(([name, { title }]) => [name, title] as const));
	return {
		choices: Object.fromEntries(titles),
		fallback: "virtual",
		suggest: (text) => meantDriver(text, parts),
	};
}

/**
 * The project that the options, the environment and the answers at the terminal describe.
 * @param terminal undefined: nobody is asked, and what is absent has its default
 * @throws {Failure} if a value is wrong
 */
export async function describeProject(
	folder: string,
	options: ProjectOptions,
	environment: NodeJS.ProcessEnv,
	terminal: Terminal | undefined,
): Promise<Project> {
	const drivers = ownDeclarations(join(projectFolder, "firmware"));
	requireValid(options, driverChoice(drivers));
	const choose = async (given: string | undefined, question: string, choice: Choice): Promise<string> => {
		if (given !== undefined) return choice.find?.(given) ?? given;
		return terminal === undefined ? choice.fallback : askChoice(terminal, question, choice);
	};
	const role = (await choose(options.role, "What is the device?", roleChoice)) as Role;
	const name = hasSensors({ role })
		? await choose(options.driver, "Which sensor does it have?", driverChoice(drivers))
		: undefined;
	const board = await choose(options.board, "On which board?", boardChoice);
	const wifi = await wifiOf(options, terminal);
	const broker = await brokerOf(role, options, terminal);
	const credentials = await credentialsOf(role, options, environment, terminal);
	const discovery = hasSensors({ role })
		? await choose(options.discovery, "How does it announce itself?", discoveryChoice(role))
		: "none";
	const declaration = name === undefined ? undefined : drivers.get(name);
	return {
		name: projectName(basename(resolve(folder))),
		firefly: fireflyFrom(folder),
		role,
		driver: name === undefined || declaration === undefined ? undefined : { name, declaration },
		board,
		wifi,
		broker,
		credentials,
		discovery: discovery as Discovery,
	};
}

/** A new project has no certificates, nor an include of another transport. */
function plainURLProblem(text: string): string | undefined {
	const problem = urlProblem(text);
	if (problem !== undefined || text.startsWith("mqtt://")) return problem;
	return "is not mqtt://; docs/transports.md says how a project reaches its broker over TLS or WebSocket";
}

/** Refuses wrong options before anybody is asked anything. */
function requireValid(options: ProjectOptions, driver: Choice): void {
	const checks: Readonly<Record<keyof ProjectOptions, (text: string) => string | undefined>> = {
		role: (text) => choiceProblem(text, roleChoice),
		driver: (text) => choiceProblem(text, driver),
		board: (text) => choiceProblem(text, boardChoice),
		ssid: ssidProblem,
		broker: plainURLProblem,
		user: userProblem,
		discovery: (text) => choiceProblem(text, discoveryChoice("sensor")),
	};
	for (const [key, check] of Object.entries(checks)) {
		const value = options[key as keyof ProjectOptions];
		const problem = value === undefined ? undefined : check(value);
		if (problem !== undefined) throw new Failure(`--${key}: ${JSON.stringify(value)} ${problem}`);
	}
}

async function wifiOf({ ssid: given }: ProjectOptions, terminal: Terminal | undefined) {
	const ssid =
		given ??
		(terminal && (await askText(terminal, "Name of the Wi-Fi (empty: later)", undefined, ssidProblem)));
	if (ssid === undefined) return undefined;
	const question = "Its password, kept in firefly.local.json (empty: none, or FIREFLY_WIFI_PASSWORD)";
	return { ssid, password: terminal && (await askSecret(terminal, question, passphraseProblem)) };
}

async function brokerOf(role: Role, { broker }: ProjectOptions, terminal: Terminal | undefined) {
	const fallback = hasBroker({ role }) ? OWN_BROKER : ANNOUNCED_BROKER;
	if (broker !== undefined || terminal === undefined || hasBroker({ role })) return broker ?? fallback;
	return (await askText(terminal, "Which broker does it report to?", fallback, plainURLProblem)) ?? fallback;
}

async function credentialsOf(
	role: Role,
	{ user: given }: ProjectOptions,
	environment: NodeJS.ProcessEnv,
	terminal: Terminal | undefined,
): Promise<Credentials | undefined> {
	const question = hasBroker({ role })
		? "User whom the broker lets in (empty: everybody)"
		: "User name at the broker (empty: none)";
	const user = given ?? (terminal && (await askText(terminal, question, undefined, userProblem)));
	if (user === undefined) return undefined;
	// A node reads it from the environment itself; of a broker, the manifest holds the hash.
	const known = environment.FIREFLY_BROKER_PASSWORD;
	if (known !== undefined && known !== "") return { user, password: hasBroker({ role }) ? known : undefined };
	const password = terminal && (await askSecret(terminal, `Password of ${user}`, secretProblem));
	if (password === undefined && hasBroker({ role }))
		throw new Failure(
			`a user of a broker needs a password: set FIREFLY_BROKER_PASSWORD for ${user}, or leave --user away; nothing was changed`,
		);
	return { user, password };
}
