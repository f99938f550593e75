import { boardPins, boards } from "./boards";
import { ANNOUNCED_BROKER, hasBroker, hasSensors, MDNS_NAME, type Project } from "./project";

/** README.md of a project. */
export function readmeText(project: Project): string {
	const { name, firefly } = project;
	const docs = `${encodeURI(firefly)}/docs`;
	return `${[
		`# ${name}`,
		descriptionOf(project),
		"## Try it",
		`\`\`\`sh
npm start              # the firmware, simulated on this machine; Ctrl-C ends it with a summary
npm run check          # is manifest.json right, does it fit the chip, how long does a battery last?
npm test               # the configuration, and the firmware simulated
npm run firefly -- history readings.csv    # any other command; npm run firefly -- --help lists them
\`\`\``,
		`Firefly itself is in \`${firefly}\`, relative to this folder: manifest.json, package.json and the test name it.
The simulator compiles its JavaScript engine once, for which it needs a C compiler. Without one,
\`npm start -- --engine node\` and \`FIREFLY_ENGINE=node npm test\` run the same firmware on Node's engine.`,
		"## Configure",
		`manifest.json is the one place to configure; an editor that knows JSON Schema completes and checks it.
[configuration.md](${docs}/configuration.md) has every key, [drivers.md](${docs}/drivers.md) every
driver with its options and pins.`,
		...secretsOf(project),
		"## Put it on a board",
		...wiringOf(project),
		`With the [Moddable SDK](https://github.com/Moddable-OpenSource/moddable) and its ESP-IDF installed:

\`\`\`sh
npm run flash -- --port /dev/ttyUSB0              # builds for ${project.board}, and writes it to the board
npm run flash -- --port /dev/ttyUSB0 --console    # an image that prints what it does
npm run monitor -- --port /dev/ttyUSB0            # shows that; with --summary beside the simulator
\`\`\`

What is missing, such as ESP-IDF or the port, is named before anything is built. The secrets above get into the image.`,
	].join("\n\n")}\n`;
}

function descriptionOf(project: Project): string {
	const { driver, board, broker } = project;
	const parts = [
		...(driver === undefined ? [] : [`measures with ${driver.declaration.title} and reports to ${broker}`]),
		...(hasBroker(project)
			? [
					`is an MQTT broker, ${ANNOUNCED_BROKER}, with WebSocket and a status page at http://${MDNS_NAME}.local:8080`,
				]
			: []),
	];
	return `A device on ${article(boards[board]!)} that ${parts.join(", and ")}. Made with Firefly.`;
}

function article(chip: string): string {
	return `an ${chip.replace(/-S2, S3$/, "-S2 or -S3")}`;
}

function secretsOf(project: Project): string[] {
	const secrets = {
		wifi: { ...(project.wifi === undefined ? { ssid: "…" } : {}), password: "…" },
		...(hasSensors(project) ? { broker: { username: "…", password: "…" } } : {}),
	};
	const variables = [
		...(project.wifi === undefined ? ["FIREFLY_WIFI_SSID"] : []),
		"FIREFLY_WIFI_PASSWORD",
		...(hasSensors(project) ? ["FIREFLY_BROKER_USERNAME", "FIREFLY_BROKER_PASSWORD"] : []),
	];
	const users = hasBroker(project)
		? [
				`\`node ${project.firefly}/cli/firefly.mjs passwd NAME --manifest manifest.json\` gives a user of the broker a password;
remove \`"anonymous": true\` to keep everybody else out.`,
			]
		: [];
	return [
		`Secrets stay out of it: firefly.local.json, which git ignores, has them,

\`\`\`json
${JSON.stringify(secrets)}
\`\`\`

or the environment: ${variables.map((name) => `\`${name}\``).join(", ")}.`,
		...users,
	];
}

function wiringOf({ driver, board }: Project): string[] {
	if (driver === undefined) return [];
	const { data, clock } = boardPins(driver.declaration, board);
	if (data === undefined || clock === undefined) return [];
	return [
		`${driver.declaration.title}: SDA to GPIO ${data}, SCL to GPIO ${clock}, VCC to 3.3 V, GND to GND. Other pins: \`"options":
{ "data": …, "clock": … }\` of each sensor.`,
	];
}
