import { test } from "node:test";
import { fuzz } from "./support/fuzz";

test("mutated packets of recorded conversations: no crash, no leak, nobody else touched", () => {
	for (let seed = 1; seed <= 5; seed++) fuzz(3000, seed);
});
