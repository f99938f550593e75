import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { cacheFolder } from "../../sim/cache/folder.mjs";

describe("the folder of what is built once", () => {
	const folder = mkdtempSync(join(tmpdir(), "firefly-cache-"));
	after(() => rmSync(folder, { recursive: true, force: true }));
	/** A file where a folder would be: cannot be written to, not even by root. */
	const blocked = join(folder, "blocked");
	writeFileSync(blocked, "");
	const uid = process.getuid?.() ?? "user";
	const place = (name: string): string => {
		mkdirSync(join(folder, name), { recursive: true });
		return join(folder, name);
	};

	test("a checkout: its own .cache", () => {
		const checkout = place("checkout");
		assert.equal(cacheFolder("xs", { checkout }), join(checkout, ".cache", "xs"));
	});

	test("a package, or a checkout that cannot be written: XDG_CACHE_HOME", () => {
		const environment = { XDG_CACHE_HOME: place("xdg") };
		const expected = join(folder, "xdg", "firefly", "xs");
		assert.equal(cacheFolder("xs", { checkout: "", environment }), expected);
		assert.equal(cacheFolder("xs", { checkout: blocked, environment }), expected);
	});

	test("no XDG_CACHE_HOME, or a relative one: .cache of the home", () => {
		const home = place("home");
		for (const environment of [{}, { XDG_CACHE_HOME: "cache" }])
			assert.equal(
				cacheFolder("xs", { checkout: "", environment, home }),
				join(home, ".cache", "firefly", "xs"),
			);
	});

	test("no home that can be written: a folder of the user's own in the temporary one", () => {
		const temporary = place("temporary");
		const options = { checkout: "", environment: {}, home: blocked, temporary };
		assert.equal(cacheFolder("xs", options), join(temporary, `firefly-${uid}`, "xs"));
		assert.equal(statSync(join(temporary, `firefly-${uid}`)).mode & 0o777, 0o700);
	});

	test("a folder there that others can write to, or a link, is not used", () => {
		const open = place("open");
		mkdirSync(join(open, `firefly-${uid}`));
		chmodSync(join(open, `firefly-${uid}`), 0o777);
		const linked = place("linked");
		symlinkSync(place("elsewhere"), join(linked, `firefly-${uid}`));
		for (const temporary of [open, linked])
			assert.throws(
				() => cacheFolder("xs", { checkout: "", environment: {}, home: blocked, temporary }),
				/nowhere to keep .* set XDG_CACHE_HOME/,
			);
	});
});
