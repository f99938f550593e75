import assert from "node:assert/strict";
import { createHash, createHmac, pbkdf2Sync } from "node:crypto";
import { describe, it } from "node:test";
import fc from "fast-check";
import { HMAC } from "../../src/crypto/hmac";
import { PBKDF2 } from "../../src/crypto/pbkdf2";
import { SHA1 } from "../../src/crypto/sha1";
import { SHA256 } from "../../src/crypto/sha256";

const ascii = (text: string) => Uint8Array.from(Buffer.from(text, "latin1"));
const hex = (text: string) => Uint8Array.from(Buffer.from(text, "hex"));

function digestOf(hash: SHA1 | SHA256 | HMAC, size: number, bytes: Uint8Array): string {
	const target = new Uint8Array(size + 2).fill(0xee);
	hash.update(bytes, 0, bytes.length).digest(target, 1);
	assert.equal(target[0] & target[size + 1], 0xee);
	return Buffer.from(target.subarray(1, size + 1)).toString("hex");
}

const MILLION = new Uint8Array(1_000_000).fill(0x61);

describe("SHA-1: FIPS 180-4 examples", () => {
	for (const [message, digest] of [
		[ascii(""), "da39a3ee5e6b4b0d3255bfef95601890afd80709"],
		[ascii("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d"],
		[
			ascii("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
			"84983e441c3bd26ebaae4aa1f95129e5e54670f1",
		],
		[MILLION, "34aa973cd4c4daa4f61eeb2bdbad27316534016f"],
	] as const) {
		it(`SHA-1 of ${message.length} bytes`, () => assert.equal(digestOf(new SHA1(), 20, message), digest));
	}
});

describe("SHA-256: FIPS 180-4 examples", () => {
	for (const [message, digest] of [
		[ascii(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
		[ascii("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
		[
			ascii("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
			"248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
		],
		[MILLION, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"],
	] as const) {
		it(`SHA-256 of ${message.length} bytes`, () => assert.equal(digestOf(new SHA256(), 32, message), digest));
	}
});

describe("HMAC-SHA-256: RFC 4231 §4", () => {
	for (const [name, key, data, code] of [
		[
			"case 1",
			new Uint8Array(20).fill(0x0b),
			ascii("Hi There"),
			"b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
		],
		[
			"case 2",
			ascii("Jefe"),
			ascii("what do ya want for nothing?"),
			"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
		],
		[
			"case 3",
			new Uint8Array(20).fill(0xaa),
			new Uint8Array(50).fill(0xdd),
			"773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
		],
		[
			"case 4",
			hex("0102030405060708090a0b0c0d0e0f10111213141516171819"),
			new Uint8Array(50).fill(0xcd),
			"82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
		],
		[
			"case 6",
			new Uint8Array(131).fill(0xaa),
			ascii("Test Using Larger Than Block-Size Key - Hash Key First"),
			"60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
		],
		[
			"case 7",
			new Uint8Array(131).fill(0xaa),
			ascii(
				"This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm.",
			),
			"9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
		],
	] as const) {
		it(name, () => {
			const hmac = new HMAC().key(key, 0, key.length);
			assert.equal(digestOf(hmac, 32, data), code);
			assert.equal(digestOf(hmac, 32, data), code, "the key serves again");
		});
	}
});

function derive(
	kdf: PBKDF2,
	password: Uint8Array,
	salt: Uint8Array,
	iterations: number,
	step: number,
): string {
	const key = new Uint8Array(32);
	kdf.start(password, 0, password.length, salt, 0, salt.length, iterations);
	while (!kdf.step(step));
	kdf.digest(key, 0);
	return Buffer.from(key).toString("hex");
}

describe("PBKDF2-HMAC-SHA-256", () => {
	const kdf = new PBKDF2();

	// The first 32 of the 64 bytes of the RFC, which are one block of the output
	it("RFC 7914 §11, 1 iteration", () =>
		assert.equal(
			derive(kdf, ascii("passwd"), ascii("salt"), 1, 1),
			"55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc",
		));
	it("RFC 7914 §11, 80,000 iterations", () =>
		assert.equal(
			derive(kdf, ascii("Password"), ascii("NaCl"), 80_000, 1000),
			"4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56",
		));

	it("steps of any size give the same key", () => {
		fc.assert(
			fc.property(
				fc.uint8Array({ maxLength: 100 }),
				fc.uint8Array({ maxLength: 100 }),
				fc.integer({ min: 1, max: 40 }),
				fc.integer({ min: 1, max: 50 }),
				(password, salt, iterations, step) => {
					assert.equal(
						derive(kdf, password, salt, iterations, step),
						pbkdf2Sync(password, salt, iterations, 32, "sha256").toString("hex"),
					);
				},
			),
			{ numRuns: 300 },
		);
	});

	it("performs the requested iterations and counts those left", () => {
		kdf.start(ascii("p"), 0, 1, ascii("s"), 0, 1, 10);
		assert.equal(kdf.left, 9);
		assert.equal(kdf.step(4), false);
		assert.equal(kdf.left, 5);
		assert.equal(kdf.step(0), false);
		assert.equal(kdf.step(5), true);
		assert.equal(kdf.step(5), true);
	});

	it("refuses invalid counts", () => {
		for (const iterations of [0, -1, 1.5, Number.NaN, 2 ** 31])
			assert.throws(() => kdf.start(ascii("p"), 0, 1, ascii("s"), 0, 1, iterations), RangeError);
	});

	it("clear() erases the state", () => {
		const key = new Uint8Array(32).fill(1);
		kdf.start(ascii("p"), 0, 1, ascii("s"), 0, 1, 2);
		kdf.clear();
		assert.equal(kdf.left, 0);
		kdf.digest(key, 0);
		assert.deepEqual(key, new Uint8Array(32));
		assert.equal(
			derive(kdf, ascii("passwd"), ascii("salt"), 1, 1),
			"55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc",
		);
	});
});

describe("agreement with node:crypto, input in any pieces, one reused instance", () => {
	const pieces = fc.array(fc.uint8Array({ maxLength: 150 }), { maxLength: 6 });
	const oneSHA1 = new SHA1();
	const oneSHA256 = new SHA256();
	const oneHMAC = new HMAC();
	const run = (hash: SHA1 | SHA256 | HMAC, size: number, all: Uint8Array[]) => {
		const target = new Uint8Array(size);
		for (const piece of all) {
			const padded = Uint8Array.of(1, ...piece, 2);
			hash.update(padded, 1, piece.length + 1);
		}
		hash.digest(target, 0);
		return Buffer.from(target);
	};
	it("SHA-1", () => {
		fc.assert(
			fc.property(pieces, (all) =>
				assert.deepEqual(run(oneSHA1, 20, all), createHash("sha1").update(Buffer.concat(all)).digest()),
			),
		);
	});
	it("SHA-256", () => {
		fc.assert(
			fc.property(pieces, (all) =>
				assert.deepEqual(run(oneSHA256, 32, all), createHash("sha256").update(Buffer.concat(all)).digest()),
			),
		);
	});
	it("every length up to three blocks", () => {
		for (let length = 0; length <= 192; length++) {
			const bytes = new Uint8Array(length).fill(length);
			assert.deepEqual(run(oneSHA1, 20, [bytes]), createHash("sha1").update(bytes).digest());
			assert.deepEqual(run(oneSHA256, 32, [bytes]), createHash("sha256").update(bytes).digest());
		}
	});
	it("HMAC keys of every length up to two blocks and a byte", () => {
		for (let length = 0; length <= 129; length++) {
			const key = new Uint8Array(length).fill(length);
			oneHMAC.key(key, 0, length);
			assert.deepEqual(run(oneHMAC, 32, [key]), createHmac("sha256", key).update(key).digest(), `${length}`);
		}
	});
	it("HMAC", () => {
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 150 }), pieces, (key, all) => {
				oneHMAC.key(key, 0, key.length);
				assert.deepEqual(
					run(oneHMAC, 32, all),
					createHmac("sha256", key).update(Buffer.concat(all)).digest(),
				);
			}),
		);
	});
	it("clear() leaves a hash ready for reuse", () => {
		oneSHA256.update(Uint8Array.of(1, 2, 3), 0, 3).clear();
		assert.deepEqual(run(oneSHA256, 32, []), createHash("sha256").digest());
	});
});
