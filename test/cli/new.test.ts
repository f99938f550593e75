import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { ownDeclarations } from "../../cli/config/declarations";
import { JSONDocument } from "../../cli/config/json";
import { checkDocument } from "../../cli/config/load";
import { largestAnnouncement } from "../../cli/config/sizes";
import { describeProject } from "../../cli/project/answers";
import { boards, platformOf } from "../../cli/project/boards";
import { writeProject } from "../../cli/project/files";
import { manifestText } from "../../cli/project/manifest-text";
import { nextSteps } from "../../cli/project/next-steps";
import { projectName } from "../../cli/project/project";
import { PseudoTerminal } from "../support/pseudo-terminal";
import { cli, Project } from "./project";

const root = fileURLToPath(new URL("../..", import.meta.url));
const declarations = ownDeclarations(join(root, "firmware"));

interface ManifestJSON {
	readonly include: readonly string[];
	readonly config: { readonly firefly: Readonly<Record<string, unknown>> };
}

describe("firefly new and init", () => {
	const project = new Project();
	before(() => rmSync(join(project.directory, "firmware"), { recursive: true }));
	after(() => project.remove());
	const path = (...parts: string[]): string => join(project.directory, ...parts);
	const read = (...parts: string[]): string => readFileSync(path(...parts), "utf8");
	/** Runs tests that are not part of this run. */
	const environment: NodeJS.ProcessEnv = { ...process.env, FIREFLY_ENGINE: "node" };
	delete environment.NODE_TEST_CONTEXT;
	const configOf = (folder: string): Readonly<Record<string, unknown>> =>
		(JSON.parse(read(folder, "manifest.json")) as ManifestJSON).config.firefly;

	for (const role of ["sensor", "broker", "both"])
		test(`role ${role}, nothing asked: the project passes check, and its own test`, async () => {
			const { code, stdout, stderr } = await project.run([
				"new",
				role,
				"--role",
				role,
				"--ssid",
				"home",
				"--yes",
			]);
			assert.deepEqual([code, stderr], [0, ""]);
			assert.match(
				stdout,
				new RegExp(`^created {4}${role}/manifest\\.json\n.* cd ${role}\n {2}npm start .*`, "s"),
			);
			assert.deepEqual(readdirSync(path(role)).sort(), [
				".gitignore",
				"README.md",
				"manifest.json",
				"package.json",
				"test",
			]);
			assert.match(read(role, ".gitignore"), /^firefly\.local\.json$/m);
			const own = spawnSync("npm", ["test"], {
				cwd: path(role),
				encoding: "utf8",
				env: environment,
			});
			assert.equal(own.status, 0, own.stdout);
			assert.match(own.stdout, new RegExp(`^# pass ${role === "both" ? 3 : 2}$`, "m"));
			assert.equal(configOf(role).role, role);
		});

	for (const role of ["sensor", "both"])
		for (const discovery of ["homeassistant", "homie", "none"])
			test(`role ${role}, discovery ${discovery}: the project passes check, and what it says is announced`, async () => {
				const folder = `${role}-${discovery}`;
				const args = ["new", folder, "--role", role, "--driver", "sht3x", "--discovery", discovery, "--yes"];
				assert.equal((await project.run(args)).code, 0);
				const { topic, ...config } = configOf(folder);
				assert.equal(config.discovery, discovery === "none" ? undefined : discovery);
				assert.equal(topic, discovery === "homie" ? undefined : "home/{id}/{sensor}");
				const manifest = `${folder}/manifest.json`;
				const { code, stderr } = await project.run(["check", manifest], { FIREFLY_WIFI_SSID: "home" });
				assert.equal(code, 0, stderr);
				assert.doesNotMatch(stderr, /packetSize|retainedBytes|discovery/);
				const run = ["sim", "--for", "10m", "--speed", "max", "--engine", "node", "--json"];
				const { stdout } = await project.run([...run, "--manifest", manifest]);
				const topics = stdout.matchAll(/"type":"value".*"topic":"([^"]+)"/g);
				const announced = [...topics].map(([, each]) => each!.replace(/sensor-[^/]+|both-[^/]+/, "ID"));
				const expected = {
					homeassistant: "homeassistant/device/ID/config",
					homie: "homie/5/ID/$description",
				};
				for (const [format, each] of Object.entries(expected))
					assert.equal(announced.includes(each), format === discovery, `${[...new Set(announced)]}`);
			});

	test("the test of a project fails if a sensor is never published", async () => {
		await project.run(["new", "mute", "--yes"]);
		const manifest = read("mute", "manifest.json");
		project.write("mute/manifest.json", manifest.replace('"home/{id}/{sensor}"', '"home/{sensor}/x"'));
		const { status, stdout } = spawnSync(process.execPath, ["--test"], {
			cwd: path("mute"),
			encoding: "utf8",
			env: environment,
		});
		assert.equal(status, 1);
		assert.match(stdout, /temperature is not published/);
	});

	test("files that exist stay, and get only the scripts and ignored files that they lack", async () => {
		mkdirSync(path("old"));
		project.write("old/README.md", "mine\n");
		project.write("old/.gitignore", "node_modules");
		project.write(
			"old/package.json",
			'{\n\t"name": "old",\n\t"scripts": {\n\t\t"start": "mine",\n\t\t"test": "echo \\"Error: no test specified\\" && exit 1"\n\t}\n}\n',
		);
		const refused = await project.run(["new", "old", "--yes"]);
		assert.deepEqual([refused.code, refused.stdout], [1, ""]);
		assert.match(refused.stderr, /^old has files; firefly init old makes a project of it/);
		const { stdout } = await project.run(["init", "old", "--yes"]);
		assert.match(stdout, /^completed {2}old\/package\.json$/m);
		assert.match(stdout, /^kept {7}old\/README\.md$/m);
		assert.equal(read("old", "README.md"), "mine\n");
		assert.equal(read("old", ".gitignore"), "node_modules\n.firefly/\n.firefly-*.json\nfirefly.local.json\n");
		const { scripts } = JSON.parse(read("old", "package.json")) as { scripts: Record<string, string> };
		assert.deepEqual([scripts.start, scripts.test], ["mine", "node --test"]);
		assert.match(read("old", "package.json"), /^{\n\t"name": "old",\n\t"scripts": {\n\t\t"start"/);

		const before = read("old", "manifest.json");
		const again = await project.run(["init", "old", "--role", "broker", "--yes"]);
		assert.deepEqual([again.code, read("old", "manifest.json")], [1, before]);
		assert.match(again.stderr, /^old\/manifest\.json exists; nothing was changed\. --force replaces it\n$/);
		const forced = await project.run(["init", "old", "--role", "broker", "--yes", "--force"]);
		assert.match(forced.stdout, /^replaced {3}old\/manifest\.json$/m);
		assert.equal(configOf("old").role, "broker");
	});

	test("two at once in one folder: one makes the project, the other changes nothing and says so", async () => {
		const args = ["new", "twice", "--role", "broker", "--ssid", "home", "--yes"];
		const runs = await Promise.all([project.run(args), project.run(args)]);
		const [made, refused] = runs.sort((a, b) => a.code! - b.code!);
		assert.deepEqual([made!.code, refused!.code], [0, 1]);
		// Which line it says depends on how far the other has come
		assert.match(
			refused!.stderr,
			/manifest\.json exists; nothing was changed\. --force|twice has files; firefly init/,
		);
		assert.match(made!.stdout, /created {4}twice\/manifest\.json/);
		// The other may come after the question, and before the first file
		const other = { name: "x", role: "broker", firefly: "../..", board: "esp32c3", broker: "" } as const;
		const unasked = {
			discovery: "none",
			driver: undefined,
			wifi: undefined,
			credentials: undefined,
		} as const;
		const before = read("twice", "manifest.json");
		assert.throws(
			() => writeProject(path("twice"), { ...other, ...unasked }, false),
			/manifest\.json exists; nothing was changed/,
		);
		assert.equal(read("twice", "manifest.json"), before);
	});

	test("a file that cannot be written: the reason, what was created is gone, and what was there stays", async () => {
		mkdirSync(path("blocked"));
		project.write("blocked/README.md", "mine\n");
		project.write("blocked/test", "a file where a folder should be\n");
		const { code, stdout, stderr } = await project.run(["init", "blocked", "--yes"]);
		assert.deepEqual(
			[code, stdout, stderr],
			[1, "", "blocked/test/firmware.test.mjs cannot be written: file already exists\n"],
		);
		assert.deepEqual(readdirSync(path("blocked")).sort(), ["README.md", "test"]);
		assert.equal(read("blocked", "README.md"), "mine\n");
		const below = await project.run(["new", "blocked/README.md/deep/er", "--yes"]);
		assert.deepEqual(
			[below.code, below.stderr],
			[1, "blocked/README.md/deep/er cannot be made: not a directory\n"],
		);
	});

	test("wrong options and missing answers: a line of reason, and nothing is written", async () => {
		const rows: readonly (readonly [readonly string[], number, RegExp])[] = [
			[["new", "x"], 2, /^error: questions are asked on a terminal; --yes takes the defaults/],
			[["init"], 2, /^error: questions are asked on a terminal/],
			[["new", "--yes"], 1, /^which folder\?/],
			[["init", "x", "--yes"], 1, /^x does not exist; firefly new x makes it/],
			[
				["new", "x", "--yes", "--role", "senosr"],
				1,
				/^--role: "senosr" is none of .*; did you mean "sensor"\?/,
			],
			[
				["new", "x", "--yes", "--driver", "sht31"],
				1,
				/^--driver: "sht31" is none of .*; did you mean "sht3x"\?/,
			],
			[["new", "x", "--yes", "--board", "esp32c4"], 1, /^--board: "esp32c4" is none of .*mean "esp32c3"\?/],
			[
				["new", "x", "--yes", "--broker", "10.0.0.1"],
				1,
				/^--broker: "10\.0\.0\.1" does not begin with mqtt:/,
			],
			[
				["new", "x", "--yes", "--broker", "mqtts://b"],
				1,
				/^--broker: "mqtts:\/\/b" is not mqtt:\/\/; docs\/transports\.md says how/,
			],
			[
				["new", "x", "--yes", "--discovery", "hass"],
				1,
				/^--discovery: "hass" is none of homeassistant, homie/,
			],
			[["new", "x", "--yes", "--ssid", "x".repeat(33)], 1, /^--ssid: /],
			[["new", "x", "--yes", "--user", "a/b"], 1, /^--user: "a\/b" holds \//],
			[
				["new", "x", "--yes", "--role", "broker", "--user", "anna"],
				1,
				/^a user of a broker needs a password/,
			],
		];
		for (const [args, code, reason] of rows) {
			const outcome = await project.run(args);
			assert.deepEqual([outcome.code, outcome.stdout], [code, ""], args.join(" "));
			assert.match(outcome.stderr, reason);
		}
		assert.ok(!existsSync(path("x")));
	});

	test("a user of a broker: the password comes from the environment, the manifest has its hash", async () => {
		const args = ["new", "guarded", "--role", "broker", "--user", "anna", "--yes"];
		const { code } = await project.run(args, { FIREFLY_BROKER_PASSWORD: "correct horse" });
		assert.equal(code, 0);
		const listen = configOf("guarded").listen as { users: Record<string, string>; anonymous?: boolean };
		assert.match(listen.users.anna!, /^\$pbkdf2-sha256\$/);
		assert.equal(listen.anonymous, undefined);
		for (const name of readdirSync(path("guarded"), { recursive: true, encoding: "utf8" }))
			if (statSync(path("guarded", name)).isFile())
				assert.ok(!read("guarded", name).includes("correct horse"), name);
	});

	const open = (command: string): PseudoTerminal =>
		new PseudoTerminal(`exec '${process.execPath}' '${cli}' ${command}`, 160, 40, {
			cwd: project.directory,
			env: process.env,
		});

	test("on a terminal: what no option says is asked; passwords are not shown, and kept in firefly.local.json", async () => {
		const terminal = open("new greenhouse --board esp32/ESP32C3");
		const answer = async (question: RegExp, text: string): Promise<void> => {
			await terminal.until(String(question), (screen) => question.test(screen.text.trimEnd()));
			terminal.type(`${text}\n`);
		};
		try {
			await answer(/both +a broker with sensors of its own\nWhat is the device\? \[sensor\]:$/, "");
			await answer(/Which sensor does it have\? \[virtual\]:$/, "sht31");
			await answer(
				/"sht31" is none of these; did you mean "sht3x"\?\nWhich sensor does it have\? \[virtual\]:$/,
				"sht3x",
			);
			await answer(/Name of the Wi-Fi \(empty: later\):$/, "home");
			await answer(/FIREFLY_WIFI_PASSWORD\):$/, "short");
			await answer(
				/it is 5 bytes long; at least 8 are needed\n.*FIREFLY_WIFI_PASSWORD\):$/s,
				"a long password",
			);
			await answer(/Which broker does it report to\? \[mqtt:\/\/firefly\.local\]:$/, "mqtt://10.0.0.7");
			await answer(/User name at the broker \(empty: none\):$/, "shed");
			await answer(/Password of shed:$/, "another one");
			await answer(/only\nHow does it announce itself\? \[homeassistant\]:$/, "");
			assert.equal(await terminal.ended(), 0);
			assert.doesNotMatch(terminal.output, /long password|another one/);
		} finally {
			terminal.kill();
		}
		const { wifi, broker, sensors, discovery } = configOf("greenhouse");
		assert.equal(discovery, "homeassistant");
		assert.deepEqual([wifi, broker], [{ ssid: "home" }, { url: "mqtt://10.0.0.7", username: "shed" }]);
		assert.deepEqual(
			(sensors as readonly { name: string }[]).map(({ name }) => name),
			["temperature", "humidity"],
		);
		assert.deepEqual(JSON.parse(read("greenhouse", "firefly.local.json")), {
			wifi: { password: "a long password" },
			broker: { password: "another one" },
		});
		assert.equal(statSync(path("greenhouse", "firefly.local.json")).mode & 0o777, 0o600);
		assert.match(read("greenhouse", "package.json"), /firefly\.mjs flash esp32c3"/);
		assert.match(
			read("greenhouse", "README.md"),
			/^npm run flash -- --port \/dev\/ttyUSB0 +# builds for esp32c3/m,
		);
		assert.match(read("greenhouse", "README.md"), /SDA to GPIO 2, SCL to GPIO 3/);
		const { code, stderr } = await project.run(["check", "greenhouse/manifest.json"]);
		assert.deepEqual([code, stderr], [0, ""]);
	});

	test("Ctrl-C at a question: nothing was changed", async () => {
		const terminal = open("new never");
		try {
			await terminal.until("a question", ({ text }) => text.includes("What is the device?"));
			terminal.type("\x03");
			assert.equal(await terminal.ended(), 1);
			assert.match(terminal.screen.text.trimEnd(), /nothing was changed$/);
		} finally {
			terminal.kill();
		}
		assert.ok(!existsSync(path("never")));
	});
});

describe("every driver and every board", () => {
	const folder = join(root, "new-project");
	for (const driver of declarations.keys())
		test(`${driver}: the manifest has no problem on any board`, async () => {
			for (const board of Object.keys(boards)) {
				const options = { role: "sensor", driver, board, ssid: "home" };
				const text = manifestText(await describeProject(folder, options, {}, undefined));
				const document = new JSONDocument("manifest.json", text);
				const loaded = checkDocument(document, join(folder, "manifest.json"), {
					FIREFLY_WIFI_PASSWORD: "a long password",
				});
				assert.deepEqual("problems" in loaded ? loaded.problems : [], [], board);
				assert.deepEqual(loaded.warnings, [], board);
			}
		});

	for (const discovery of ["homeassistant", "homie"])
		test(`a broker with sensors of its own, ${discovery}: what any driver announces fits, and so does the memory`, async () => {
			for (const driver of declarations.keys()) {
				const options = { role: "both", driver, ssid: "home", discovery };
				const text = manifestText(await describeProject(folder, options, {}, undefined));
				const document = new JSONDocument("manifest.json", text);
				const loaded = checkDocument(document, join(folder, "manifest.json"), {});
				assert.deepEqual("problems" in loaded ? loaded.problems : [], [], driver);
				const { settings } = "manifest" in loaded ? loaded.manifest.device : assert.fail(driver);
				const { packet } = largestAnnouncement(settings);
				assert.ok(packet > 0 && packet <= settings.listen.packetSize, `${driver}: ${packet}`);
			}
		});

	test("a broker without sensors: what any driver's project announces fits, twice at least, and so does the memory", async () => {
		const listenOf = async (options: { role: string; driver?: string }) => {
			const text = manifestText(await describeProject(folder, { ...options, ssid: "home" }, {}, undefined));
			const loaded = checkDocument(
				new JSONDocument("manifest.json", text),
				join(folder, "manifest.json"),
				{},
			);
			assert.deepEqual("problems" in loaded ? loaded.problems : [], []);
			return "manifest" in loaded ? loaded.manifest.device.settings : assert.fail();
		};
		const { listen } = await listenOf({ role: "broker" });
		for (const driver of declarations.keys()) {
			const { packet } = largestAnnouncement(await listenOf({ role: "sensor", driver }));
			assert.ok(packet > 0 && packet <= listen.packetSize, `${driver}: ${packet}`);
			assert.ok(2 * packet <= listen.retainedBytes, `${driver}: ${packet}`);
		}
	});

	test("no broker is named: a sensor reports to the name that a new broker announces, and is told so", async () => {
		const sensor = await describeProject(folder, { role: "sensor" }, {}, undefined);
		const broker = await describeProject(folder, { role: "broker" }, {}, undefined);
		assert.equal(sensor.broker, "mqtt://firefly.local");
		assert.match(nextSteps(sensor, "", []), /^mqtt:\/\/firefly\.local is a broker of Firefly; /m);
		const { include, config } = JSON.parse(manifestText(broker)) as ManifestJSON;
		assert.equal((config.firefly.listen as { mdns?: string }).mdns, "firefly");
		assert.ok(include.some((path) => path.endsWith("/firmware/mdns/manifest.json")));
		const named = await describeProject(folder, { role: "sensor", broker: "mqtt://10.0.0.1" }, {}, undefined);
		assert.doesNotMatch(nextSteps(named, "", []), /mqtt:\/\/firefly/);
	});

	test("the boards are those for which the drivers declare the pins of their bus", () => {
		const declared = declarations.get("sht3x")!.options.data!.boards!;
		assert.deepEqual(Object.keys(boards).map(platformOf).sort(), Object.keys(declared).sort());
	});
});

test("a folder's name becomes a valid name, whatever it is", () => {
	for (const [folder, name] of [
		["Gewächshaus 2", "gewa-chshaus-2"],
		["...", "firefly"],
		["温室", "firefly"],
		["a".repeat(100), "a".repeat(24)],
	])
		assert.equal(projectName(folder!), name);
});
