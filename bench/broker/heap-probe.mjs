/** Requires --expose-gc. On SIGUSR2 collects garbage and prints the bytes in use, on and off the heap. */
process.on("SIGUSR2", () => {
	globalThis.gc?.();
	const { heapUsed, external } = process.memoryUsage();
	process.stdout.write(`in use: ${heapUsed + external}\n`);
});
