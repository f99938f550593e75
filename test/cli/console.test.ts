import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { ConsoleDecoder } from "../../cli/serial/console-decoder";
import { readConsoleLine } from "../../cli/serial/console-events";
import { loadModule } from "../firmware/module-loader";

const encoder = new TextEncoder();

/** Lines that come out, and what is sent to the board; the bytes arrive in parts of a size. */
function decode(text: string, size = 1000): { lines: string[]; replies: string[] } {
	const lines: string[] = [];
	const replies: string[] = [];
	const decoder = new ConsoleDecoder(
		(line) => lines.push(line),
		(reply) => replies.push(reply),
	);
	const bytes = encoder.encode(text);
	for (let at = 0; at < bytes.length; at += size) decoder.push(bytes.subarray(at, at + size));
	return { lines, replies };
}

describe("bytes of a console", () => {
	test("an image with a console: lines, however they arrive", () => {
		const text = "firefly: Wi-Fi: größer, reason 201\r\nfirefly> 12 join\r\r\n\n";
		for (const size of [1, 2, 3, 1000])
			assert.deepEqual(decode(text, size).lines, ["firefly: Wi-Fi: größer, reason 201", "firefly> 12 join"]);
	});

	test("a build for the debugger: its log in lines, and it is told to go on", () => {
		const prefix = "\r\n<?xs.3FFB1A2C?>";
		const { lines, replies } = decode(
			[
				"\r\n<?xs-00000000?>\r\n",
				`${prefix}<xsbug><login name="src" value="XS 17.7.0 32-bit LE 16-bit ID" flags="e"/></xsbug>\r\n`,
				`${prefix}<xsbug><log>firefly: a &lt;b&gt; &amp;&quot;c&quot;</log></xsbug>\r\n`,
				`${prefix}<xsbug><log>&#10;</log></xsbug>\r\n`,
				`${prefix}\r\n<xsbug><log>modLog&#10;</log></xsbug>\r\n`,
				`${prefix}<xsbug><samples>1,2</samples></xsbug>\r\n`,
				`${prefix}<xsbug><break path="/src/main.ts" line="12"># Exception: x&#10;</break></xsbug>\r\n`,
			].join(""),
		);
		assert.deepEqual(lines, ['firefly: a <b> &"c"', "modLog", "stopped at /src/main.ts:12: # Exception: x"]);
		assert.deepEqual(replies, Array(2).fill("\r\n<?xs.3FFB1A2C?>\r\n<go/>\r\n"));
	});

	test("noise: no control characters, no endless line", () => {
		const { lines } = decode(`\u001b[2J\u0007x\n${"y".repeat(10_000)}`);
		assert.equal(lines[0], "\ufffd[2J\ufffdx");
		assert.ok(lines.length > 1 && lines.every(({ length }) => length <= 10_000));
	});

	test("any bytes: lines without control characters, whatever the parts", () => {
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 1, max: 50 }), (bytes, size) => {
				const lines: string[] = [];
				const decoder = new ConsoleDecoder(
					(line) => lines.push(line),
					() => {},
				);
				for (let at = 0; at < bytes.length; at += size) decoder.push(bytes.subarray(at, at + size));
				// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
				for (const line of lines) assert.doesNotMatch(line, /[\u0000-\u0008\u000a-\u001f\u007f]/);
			}),
		);
	});
});

describe("lines of a console", () => {
	for (const { line, read } of [
		{
			line: "firefly> 418 joined 34 -61 true",
			read: { type: "event", ms: 418, event: ["joined", 34, -61, true] },
		},
		{ line: "firefly> 3 sample 0 NaN", read: { type: "event", ms: 3, event: ["sample", 0, Number.NaN] } },
		{ line: "firefly> 2 join", read: { type: "event", ms: 2, event: ["join"] } },
		{
			line: "firefly> 9 failed wifi 0 2",
			read: { type: "event", ms: 9, event: ["failed", "wifi", 0, 2] },
		},
		{ line: "firefly> 9 toString", read: { type: "text", text: "firefly> 9 toString" } },
		{ line: "firefly> 9 join 1", read: { type: "text", text: "firefly> 9 join 1" } },
		{
			line: "rst:0x5 (DSLEEP),boot:0xd (SPI_FAST_FLASH_BOOT)",
			read: { type: "reset", reason: "deep-sleep" },
		},
		{ line: "rst:0x5 (DEEPSLEEP_RESET),boot:0x13", read: { type: "reset", reason: "deep-sleep" } },
		{ line: "rst:0x1 (POWERON),boot:0x8", read: { type: "reset", reason: "power-on" } },
		{ line: "rst:0x7 (TG0WDT_SYS_RST),boot:0x8", read: { type: "reset", reason: "watchdog" } },
		{ line: "rst:0xf (BROWN_OUT_RST),boot:0x8", read: { type: "reset", reason: "brown-out" } },
		{ line: "rst:0xc (RTC_SW_CPU_RST),boot:0x8", read: { type: "reset", reason: "reset" } },
		{ line: "ESP-ROM:esp32c3-api1-20210207", read: undefined },
		{ line: "load:0x3fcd5820,len:0x1708", read: undefined },
		{ line: "ets Jul 29 2019 12:21:46", read: undefined },
		{ line: "instruments: 0,0,0,0,3312,12", read: undefined },
		{
			line: "Guru Meditation Error: Core  0 panic'ed (Load access fault).",
			read: { type: "text", text: "Guru Meditation Error: Core  0 panic'ed (Load access fault)." },
		},
	])
		test(line, () => assert.deepEqual(readConsoleLine(line), read));

	test("what the firmware's module prints is read as it was", async () => {
		let printed = "";
		const { default: event } = await loadModule<{ default: (...event: unknown[]) => void }>(
			"firmware/console/event",
			{
				modules: { time: { default: { ticks: 77 } } },
				trace: (...text) => {
					printed += text.join("");
				},
			},
		);
		for (const sent of [
			["wake", 2, 18, 0],
			["join"],
			["joined", 34, -61, false],
			["sample", 1, 21.25],
			["failed", "transport", 0, 3],
			["sleep", 59_000, 0, 412],
		]) {
			printed = "";
			event(...sent);
			const { lines } = decode(printed);
			assert.deepEqual(lines.map(readConsoleLine), [{ type: "event", ms: 77, event: sent }]);
		}
	});
});
