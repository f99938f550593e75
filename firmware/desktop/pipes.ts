export function ignoreBrokenPipes(this: void): void {
	native("xs_firefly_ignore_broken_pipes").call(this);
}
