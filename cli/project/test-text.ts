import { posix } from "node:path";
import { hasBroker, hasSensors, type Project } from "./project";

const sensorTest = `
test("an hour of simulated time: every sensor is published, and no report is lost", () => {
	const { config } = JSON.parse(readFileSync(join(project, "manifest.json"), "utf8"));
	const events = firefly("sim", "--for", "1h", "--speed", "max", "--json", "--engine", engine);
	const topics = new Set(events.filter(({ type }) => type === "value").map(({ topic }) => topic));
	for (const { name } of config.firefly.sensors)
		assert.ok([...topics].some((topic) => topic.endsWith(\`/\${name}\`)), \`\${name} is not published\`);
	const { lost, crashes } = events.at(-1);
	assert.deepEqual({ lost, crashes }, { lost: 0, crashes: 0 });
});
`;

const brokerTest = `
test("the broker answers a client that connects", async () => {
	const args = ["broker", "--config", "manifest.json", "--port", "0", "--ws-port", "0", "--engine", engine];
	const broker = spawn(process.execPath, [command, ...args], { cwd: project });
	try {
		let output = "";
		for await (const text of broker.stdout) {
			output += text;
			if (/mqtt:\\/\\/\\S+:\\d+\\n/.test(output)) break;
		}
		const port = Number(/mqtt:\\/\\/\\S+:(\\d+)\\n/.exec(output)[1]);
		const socket = connect(port, "127.0.0.1");
		// CONNECT of MQTT 3.1.1: clean session, keep alive 60 s, client identifier "test".
		socket.write(Buffer.from([0x10, 16, 0, 4, ...Buffer.from("MQTT"), 4, 2, 0, 60, 0, 4, ...Buffer.from("test")]));
		const [answer] = await once(socket, "data");
		socket.destroy();
		// CONNACK; 0 lets the client in, 5 asks for a user.
		assert.equal(answer[0], 0x20);
		assert.ok(answer[3] === 0 || answer[3] === 5, \`return code \${answer[3]}\`);
	} finally {
		broker.kill("SIGINT");
		await once(broker, "exit");
	}
});
`;

/** The test of a project: node:test, nothing to install. */
export function testText(project: Project): string {
	const { firefly } = project;
	const processes = ["spawnSync", ...(hasBroker(project) ? ["spawn"] : [])].sort();
	const imports = [
		'import assert from "node:assert/strict";',
		`import { ${processes.join(", ")} } from "node:child_process";`,
		...(hasBroker(project) ? ['import { once } from "node:events";'] : []),
		...(hasSensors(project) ? ['import { readFileSync } from "node:fs";'] : []),
		...(hasBroker(project) ? ['import { connect } from "node:net";'] : []),
		'import { join } from "node:path";',
		'import { test } from "node:test";',
	];
	return `${imports.join("\n")}

const project = join(import.meta.dirname, "..");
const command = join(project, ${JSON.stringify(posix.join(firefly, "cli/firefly.mjs"))});
/** "node" does without a C compiler. */
const engine = process.env.FIREFLY_ENGINE ?? "xs";

/** Runs Firefly; returns what it prints, an object a line. */
function firefly(...args) {
	const options = { cwd: project, encoding: "utf8", maxBuffer: 1e8 };
	const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...args], options);
	assert.equal(status, 0, stderr || stdout);
	return stdout.trim().split("\\n").map((line) => JSON.parse(line));
}

test("the configuration has no problems", () => {
	const [{ problems }] = firefly("check", "--json");
	assert.deepEqual(problems, []);
});
${hasSensors(project) ? sensorTest : ""}${hasBroker(project) ? brokerTest : ""}`;
}
