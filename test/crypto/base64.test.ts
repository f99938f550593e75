import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { decodeBase64, encodeBase64 } from "../../src/crypto/base64";
import { equalConstantTime } from "../../src/crypto/constant-time";

const ascii = (text: string) => Uint8Array.from(Buffer.from(text, "latin1"));

function encode(bytes: Uint8Array): string {
	const target = new Uint8Array(Math.ceil(bytes.length / 3) * 4 + 2);
	const end = encodeBase64(bytes, 0, bytes.length, target, 1);
	assert.equal(end, target.length - 1);
	assert.equal(target[end] | target[0], 0);
	return Buffer.from(target.subarray(1, end)).toString("latin1");
}

function decode(text: string): string | undefined {
	const bytes = ascii(text);
	const end = decodeBase64(bytes, 0, bytes.length, bytes, 0);
	return end < 0 ? undefined : Buffer.from(bytes.subarray(0, end)).toString("latin1");
}

describe("base64", () => {
	// RFC 4648 §10
	for (const [plain, coded] of [
		["", ""],
		["f", "Zg=="],
		["fo", "Zm8="],
		["foo", "Zm9v"],
		["foob", "Zm9vYg=="],
		["fooba", "Zm9vYmE="],
		["foobar", "Zm9vYmFy"],
		["\xfb\xff\xbf", "+/+/"],
	]) {
		it(`encodes and decodes "${coded}"`, () => {
			assert.equal(encode(ascii(plain)), coded);
			assert.equal(decode(coded), plain);
		});
	}

	for (const [reason, text] of [
		["no padding", "Zg"],
		["too much padding", "Z==="],
		["only padding", "===="],
		["padding in the middle", "Zg==Zm9v"],
		["padding before a letter", "Zg=v"],
		["a bit that carries nothing", "Zh=="],
		["two bits that carry nothing", "Zm9="],
		["a letter of the URL alphabet", "-_-_"],
		["white space", "Zm 9"],
		["a letter above", "Zm9\xff"],
		["{", "Zm9{"],
		["[", "Zm9["],
		["@", "Zm9@"],
		[":", "Zm9:"],
	]) {
		it(`refuses ${reason}`, () => assert.equal(decode(text), undefined));
	}

	it("agrees with Buffer", () => {
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
				const coded = encode(bytes);
				assert.equal(coded, Buffer.from(bytes).toString("base64"));
				assert.equal(decode(coded), Buffer.from(bytes).toString("latin1"));
			}),
		);
	});

	it("decodes only text that encodes to the same", () => {
		fc.assert(
			fc.property(fc.string({ unit: fc.constantFrom(..."AZaz09+/=Qg"), maxLength: 12 }), (text) => {
				const plain = decode(text);
				if (plain !== undefined) assert.equal(encode(ascii(plain)), text);
			}),
			{ numRuns: 2000 },
		);
	});
});

describe("comparison in constant time", () => {
	it("finds every difference", () => {
		const a = Uint8Array.of(9, 1, 2, 3, 9);
		assert.ok(equalConstantTime(a, 1, 4, Uint8Array.of(8, 8, 1, 2, 3), 2));
		for (let i = 0; i < 3; i++) {
			for (let bit = 1; bit < 256; bit <<= 1) {
				const b = Uint8Array.of(1, 2, 3);
				b[i] ^= bit;
				assert.ok(!equalConstantTime(a, 1, 4, b, 0));
			}
		}
		assert.ok(equalConstantTime(a, 2, 2, a, 4));
		assert.ok(!equalConstantTime(a, 3, 5, a, 4), "nothing lies beyond the end");
	});
});
