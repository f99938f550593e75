import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { Failure } from "../failure";

/**
 * Longest password, bytes: the two-byte length in CONNECT (§1.5.6) allows more, a chip's packet buffer does
 * not.
 */
const MAX_PASSWORD_BYTES = 256;

/** Prompts for a password twice without echo, or reads the first line of standard input. */
export async function readPassword(user: string, stdin: boolean): Promise<string> {
	if (!stdin && !process.stdin.isTTY)
		throw new Failure("the password is asked for on a terminal; use --stdin to read it from standard input");
	const password = stdin ? await firstLine() : await askTwice(user);
	if (password === "") throw new Failure("an empty password is no password");
	if (Buffer.byteLength(password) > MAX_PASSWORD_BYTES)
		throw new Failure(`a password has at most ${MAX_PASSWORD_BYTES} bytes`);
	return password;
}

async function firstLine(): Promise<string> {
	for await (const line of createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY }))
		return line;
	return "";
}

async function askTwice(user: string): Promise<string> {
	const password = await ask(`Password for ${user}: `);
	if ((await ask("Again: ")) !== password) throw new Failure("the two are not the same; nothing was changed");
	return password;
}

/** Prompts without echo. */
export function ask(prompt: string): Promise<string> {
	const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
	// It ends the terminal's echo: only then is there a prompt, so that no answer is shown.
	const reader = createInterface({ input: process.stdin, output: silent, terminal: true });
	process.stderr.write(prompt);
	return new Promise((resolve, reject) => {
		let answered = false;
		reader.question("", (answer) => {
			answered = true;
			reader.close();
			resolve(answer);
		});
		reader.on("SIGINT", () => reader.close());
		reader.on("close", () => {
			process.stderr.write("\n");
			if (!answered) reject(new Failure("nothing was changed"));
		});
	});
}
