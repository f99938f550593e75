import { createInterface } from "node:readline";
import { Failure } from "../failure";
import { ask as askSecretly } from "../passwd/prompt";

/** What a person types at a question. */
export interface Terminal {
	/** @param secret without echo */
	ask(question: string, secret?: boolean): Promise<string>;
	say(text: string): void;
}

/** The terminal of this process. Its end, or Ctrl-C, ends the command, and nothing was changed. */
export const terminal: Terminal = {
	ask: (question, secret = false) => (secret ? askSecretly(question) : askOpenly(question)),
	say: (text) => void process.stderr.write(`${text}\n`),
};

function askOpenly(question: string): Promise<string> {
	const reader = createInterface({ input: process.stdin, output: process.stderr });
	return new Promise((resolve, reject) => {
		let answered = false;
		reader.on("close", () => {
			if (answered) return;
			process.stderr.write("\n");
			reject(new Failure("nothing was changed"));
		});
		reader.on("SIGINT", () => reader.close());
		reader.question(question, (answer) => {
			answered = true;
			reader.close();
			resolve(answer.trim());
		});
	});
}
