/** In a Node that is started with --expose-gc: tells on SIGUSR2 how many bytes are in use, on and off the heap, once garbage is gone. */
process.on("SIGUSR2", () => {
	globalThis.gc();
	const { heapUsed, external } = process.memoryUsage();
	process.stdout.write(`in use: ${heapUsed + external}\n`);
});
