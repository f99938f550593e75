import { BrokerAnnouncement } from "./announcement";
import { DirectoryStorage } from "./directory-storage";
import type { Ports, ServeOptions } from "./service";

export { ServeError, type ServeOptions } from "./service";

/**
 * Runs the broker alone, in real time, on real sockets, until `signal` aborts. Throws ServeError, whose
 * message is for users.
 */
export async function serve(options: ServeOptions): Promise<void> {
	const { engine, data, trace, announce, name } = options;
	const storage = data === undefined ? undefined : new DirectoryStorage(data, trace);
	let announcement: BrokerAnnouncement | undefined;
	const listening = (ports: Ports): void => {
		options.listening(ports);
		// A broker on XS that was reset listens again.
		announcement?.stop();
		if (announce) announcement = new BrokerAnnouncement(ports, { ...announce, instance: name, trace });
	};
	try {
		const run =
			engine === "node" ? (await import("./serve-node")).serveOnNode : (await import("./serve-xs")).serveOnXS;
		await run({ ...options, listening }, storage);
	} finally {
		announcement?.stop();
		storage?.close();
	}
}
