/**
 * Runs both alternately and keeps the least processor time of each, ns: other programs on the machine take
 * wall time from the slower one more often.
 */
export function compare(
	ours: (times: number) => void,
	theirs: (times: number) => void,
): { ours: number; theirs: number } {
	const times = 20_000;
	const rounds = 25;
	let best = Number.POSITIVE_INFINITY;
	let bestTheirs = Number.POSITIVE_INFINITY;
	for (let round = 0; round < rounds; round++) {
		best = Math.min(best, time(ours, times));
		bestTheirs = Math.min(bestTheirs, time(theirs, times));
	}
	return { ours: (best * 1e3) / times, theirs: (bestTheirs * 1e3) / times };
}

/** µs of processor time, that of the garbage collector's threads included */
function time(run: (times: number) => void, times: number): number {
	const start = process.cpuUsage();
	run(times);
	const { user, system } = process.cpuUsage(start);
	return user + system;
}

export function row(name: string, { ours, theirs }: { ours: number; theirs: number }): void {
	process.stdout.write(
		`${name.padEnd(62)} ${ours.toFixed(0).padStart(7)} ns ${theirs.toFixed(0).padStart(7)} ns ${(theirs / ours).toFixed(1).padStart(6)}x\n`,
	);
}

export function heading(title: string): void {
	process.stdout.write(`\n${title.padEnd(62)}    firefly mqtt-packet   ratio\n`);
}
