import assert from "node:assert/strict";
import { test } from "node:test";
import type { ListenerConstructor, ListenerOptions } from "../../src/device";
import { loadModule } from "./module-loader";

test("the SDK's listener is read once for each announced connection", async () => {
	let reads = 0;
	let announce: ((count: number) => void) | undefined;
	class Listener {
		readonly port = 1883;
		constructor({ onReadable }: ListenerOptions) {
			announce = onReadable;
		}
		read(): object {
			reads++;
			return {};
		}
	}
	const { CountedListener } = await loadModule<{ CountedListener: ListenerConstructor }>(
		"firmware/listener",
		{
			modules: { "embedded:io/socket/listener": { default: Listener } },
		},
	);
	const announcedAndRead: number[] = [];
	const listener = new CountedListener({
		port: 1883,
		onReadable(count) {
			let sockets = 0;
			while (listener.read() !== undefined) sockets++;
			announcedAndRead.push(count, sockets);
		},
	});
	assert.equal(listener.read(), undefined);
	announce?.(3);
	announce?.(1);
	assert.deepEqual(announcedAndRead, [3, 3, 1, 1]);
	assert.equal(listener.read(), undefined);
	assert.equal(reads, 4);
});
