import assert from "node:assert/strict";
import { test } from "node:test";
import { Flash } from "../../../sim/board/flash";
import type { Storage, TCPOptions } from "../../../src/device";
import { VERSION } from "../../../src/version";
import { VirtualNetwork } from "../../support/virtual-network";
import { MINUTE } from "../support/payloads";
import { SessionBroker } from "../support/session-broker";
import { image, PORT, updateBoard } from "./support";

const running = { id: 1, ok: true, state: "running", version: VERSION };

test("storage fails at the command: refused, and nothing is fetched", () => {
	const { board, server, update, answers, phases } = updateBoard();
	const flash = new Flash();
	board.storage = {
		open: (options): Storage => ({
			...flash.open(options),
			write: () => {
				throw new Error("ESP_ERR_NVS_NOT_ENOUGH_SPACE");
			},
		}),
	};
	board.run(MINUTE / 2);
	update();
	assert.deepEqual(answers(), [{ id: 1, ok: false, error: "storage: Error: ESP_ERR_NVS_NOT_ENOUGH_SPACE" }]);
	assert.deepEqual(server.requests, []);
	assert.deepEqual(phases(), []);
});

for (const mode of ["deep", "none"])
	test(`${mode}: the new image can neither read storage nor report: it returns to the one before, which answers`, () => {
		const { board, update, answers, flash } = updateBoard({ update: { trialWakes: 3 }, sleep: { mode } });
		const values = new Flash();
		board.storage = {
			open: (options): Storage => {
				const storage = values.open(options);
				return {
					...storage,
					read: (key, buffer) => {
						if (flash.running === 1) throw new Error("ESP_ERR_NVS_NEW_VERSION_FOUND");
						return storage.read(key, buffer);
					},
				};
			},
		};
		let triesOnTrial = 0;
		const event = board.eventLog.push.bind(board.eventLog);
		board.eventLog.push = (...events) => {
			if (flash.running === 1) triesOnTrial += events.filter(({ name }) => name === "failed").length;
			return event(...events);
		};
		board.run(MINUTE / 2);
		update(image("mute"));
		assert.equal(flash.running, 0);
		assert.equal(triesOnTrial, 3);
		assert.deepEqual(answers().at(-1), {
			id: 1,
			ok: false,
			error: "returned to the image before: the new one was reset before it could report",
			state: "failed",
		});
	});

for (const mode of ["deep", "none"])
	test(`sleep.mode ${mode}, and a slot whose n-th call fails, whatever the server does: a try is over, and reports go on`, () => {
		for (const afterwards of ["closes", "is silent"] as const)
			for (const sends of [3000, Infinity])
				for (let failing = 1; failing <= 7; failing++) {
					const { board, broker, server, flash, update, answers } = updateBoard({
						update: { tries: 2 },
						sleep: { mode },
					});
					Object.assign(server, { afterwards, sends });
					const open = flash.open.bind(flash);
					let calls = 0;
					const check = (): void => {
						if (++calls >= failing) throw new Error("ESP_ERR_FLASH_OP_FAIL");
					};
					flash.open = () => {
						check();
						const writer = open();
						return {
							write: (bytes) => {
								check();
								writer.write(bytes);
							},
							activate: () => {
								check();
								writer.activate();
							},
							digest: (bytes) => writer.digest?.(bytes),
							close: () => {
								check();
								writer.close();
							},
						};
					};
					board.run(MINUTE / 2);
					update();
					const where = `${afterwards}, ${sends} bytes, call ${failing}`;
					assert.equal(answers().length, 2, where);
					assert.ok(broker.reports.filter(({ at }) => at > board.time - 10 * MINUTE).length >= 9, where);
				}
	});

test("the socket of a fetch cannot be closed: the fetch ends like any other", () => {
	for (const sends of [3000, Infinity]) {
		const { board, server, update, answers } = updateBoard({ update: { tries: 2 } });
		server.sends = sends;
		let closed = 0;
		Object.defineProperty(board.network, "device", {
			get() {
				const device: VirtualNetwork["device"] = Reflect.get(VirtualNetwork.prototype, "device", this);
				class OpenTCP extends device.tcp.io {
					/** By the firmware; at its sleep the board closes every socket. */
					#isClosed = false;
					readonly #port: number | undefined;
					constructor(options: TCPOptions) {
						super(options);
						this.#port = options.port;
					}
					override close(): void {
						super.close();
						if (this.#port !== PORT || this.#isClosed) return;
						this.#isClosed = true;
						closed++;
						throw new Error("invalid");
					}
				}
				return { ...device, tcp: { io: OpenTCP } };
			},
		});
		board.run(MINUTE / 2);
		update();
		assert.equal(closed, sends === Infinity ? 1 : 2);
		assert.equal(answers().length, 2);
		if (sends === Infinity) assert.deepEqual(answers().at(-1), running);
	}
});

test("the connection of the only trial is cut after any byte: confirmed if a report was acknowledged, else returned from", () => {
	const outcomes = new Map<string, number>();
	for (let bytes = 1; ; bytes++) {
		const { board, broker, update, phases, flash } = updateBoard({ update: { trialWakes: 1 } });
		board.run(MINUTE / 2);
		const restart = flash.boot.bind(flash);
		let acknowledgedBefore = Infinity;
		flash.boot = (wakes) => {
			restart(wakes);
			if (!flash.isOnTrial || acknowledgedBefore < Infinity) return;
			acknowledgedBefore = board.events("acknowledged").length;
			broker.cut = { direction: "to the node", bytes };
		};
		let acknowledged = 0;
		const reject = flash.rejectRunning.bind(flash);
		flash.rejectRunning = () => {
			acknowledged = board.events("acknowledged").length - acknowledgedBefore;
			reject();
		};
		update();
		// The connection took fewer
		if (broker.cutCount === 0) break;
		const last = String(phases().at(-1));
		outcomes.set(last, (outcomes.get(last) ?? 0) + 1);
		assert.equal(acknowledged, 0, `${bytes} bytes: it had reported`);
		assert.equal(flash.running, last === "confirmed" ? 1 : 0, `${bytes} bytes`);
	}
	assert.deepEqual([...outcomes.keys()].sort(), ["confirmed", "failed"]);
});

for (const mode of ["deep", "none"])
	test(`${mode}: otadata cannot be written at the first confirmation: a later report confirms the image`, () => {
		const { board, update, answers, phases, flash } = updateBoard({ sleep: { mode } });
		const confirm = flash.confirm.bind(flash);
		let calls = 0;
		flash.confirm = () => {
			if (++calls === 1) throw new Error("otadata: error 0x105");
			confirm();
		};
		board.run(MINUTE / 2);
		update();
		assert.equal(calls, 2);
		assert.equal(flash.isOnTrial, false);
		assert.deepEqual(phases(), ["fetching", "activated", "confirmed"]);
		assert.deepEqual(answers().at(-1), running);
	});

test("the image before cannot be started, and the new one reports at last: confirmed, and kept", () => {
	const { board, update, phases, flash } = updateBoard();
	const reject = flash.rejectRunning.bind(flash);
	flash.rejectRunning = () => {
		throw new Error("otadata: error 0x105");
	};
	board.run(MINUTE / 2);
	update(image("mute"));
	assert.deepEqual(phases(), ["fetching", "activated", "returned"]);
	const other = new SessionBroker(board.network, { port: 1 });
	flash.confirm = ((confirm) => () => {
		flash.rejectRunning = reject;
		confirm();
	})(flash.confirm.bind(flash));
	board.run(60 * MINUTE);
	assert.equal(phases().at(-1), "confirmed");
	assert.equal(flash.running, 1);
	assert.ok(other.reports.length > 10);
	assert.equal(other.answers.at(-1)?.payload.state, "running");
});
