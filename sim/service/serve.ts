import { DirectoryStorage } from "./directory-storage";
import type { ServeOptions } from "./service";

export { ServeError, type ServeOptions } from "./service";

/**
 * Runs the broker alone, in real time, on real sockets, until `signal` aborts. Throws ServeError, whose
 * message is for users.
 */
export async function serve(options: ServeOptions): Promise<void> {
	const { engine, data, trace } = options;
	const storage = data === undefined ? undefined : new DirectoryStorage(data, trace);
	try {
		const run =
			engine === "node" ? (await import("./serve-node")).serveOnNode : (await import("./serve-xs")).serveOnXS;
		await run(options, storage);
	} finally {
		storage?.close();
	}
}
