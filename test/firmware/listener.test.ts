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

for (const [title, isFree, port, expected] of [
	["a free port: the listener is created", true, 1883, [1883]],
	[
		"a port in use: it is named, and the SDK's constructor, which mcsim would not outlive, not called",
		false,
		1883,
		/^port 1883 is in use/,
	],
	["any port: nothing is asked", false, 0, [0]],
] as const)
	test(`the broker's library in mcsim, ${title}`, async () => {
		const created: (number | undefined)[] = [];
		let ignored = 0;
		class Listener {
			constructor({ port }: ListenerOptions) {
				created.push(port);
			}
		}
		const { CountedListener } = await loadModule<{ CountedListener: ListenerConstructor }>(
			"firmware/desktop/listener",
			{
				modules: { "firefly/counted-listener": { CountedListener: Listener } },
				natives: {
					xs_firefly_port_is_free: () => isFree,
					xs_firefly_ignore_broken_pipes: () => ignored++,
				},
			},
		);
		const create = () => new CountedListener({ port, onReadable() {} });
		assert.equal(ignored, 0);
		if (expected instanceof RegExp) {
			assert.throws(create, ({ message }: Error) => expected.test(message));
			assert.deepEqual(created, []);
		} else {
			create();
			assert.deepEqual(created, expected);
		}
		assert.equal(ignored, 1, "a client that vanishes is no signal that ends mcsim");
	});
