import { Command } from "commander";
import { limits } from "../src/config/limits";
import { iterationsOption, userOption } from "./values";

interface PasswdOptions {
	readonly stdin?: true;
	readonly manifest?: string;
	/** Absent: as many as suit a chip. */
	readonly iterations?: number;
}

export function passwdCommand(): Command {
	return new Command("passwd")
		.description("Make the password hash of a user of the broker, for listen.users of a manifest.")
		.argument("<user>", "name of the user", userOption)
		.option("--manifest <file>", "put it into this manifest; without it, the line to paste is printed")
		.option(
			"--stdin",
			"read the password from standard input, up to the end of the first line, and do not prompt",
		)
		.option(
			"--iterations <number>",
			`work of each guess and of each first login, ${limits.iterations.minimum} or more: 200, the default, suits an ESP32, 600000 a broker on Node`,
			iterationsOption,
		)
		.action((user: string, options: PasswdOptions) => passwd(user, options));
}

async function passwd(user: string, { stdin, manifest, iterations }: PasswdOptions): Promise<void> {
	const [{ CHIP_ITERATIONS, hashPassword }, { readPassword }, { addUser }] = await Promise.all([
		import("./passwd/hash"),
		import("./passwd/prompt"),
		import("./passwd/manifest"),
	]);
	// Problems of the file are reported before the user types a password.
	const add = manifest === undefined ? undefined : addUser(manifest);
	const password = await readPassword(user, stdin === true);
	const hash = hashPassword(password, iterations ?? CHIP_ITERATIONS);
	if (add === undefined) process.stdout.write(`${JSON.stringify(user)}: ${JSON.stringify(hash)}\n`);
	else add(user, hash);
}
