/** What a person sees of a running simulation, and may do to it. */
export interface RunControls {
	/** The present, simulated ms since 1970. */
	readonly time: number;
	/** Ratio of simulated to wall time. */
	speed: number | "max";
	paused: boolean;
	/** Whether the access point is out of order. */
	wifiOutage: boolean;
	/** Whether nothing reaches the simulated broker; undefined if the broker is outside the simulation. */
	brokerOutage: boolean | undefined;
	/** Presses the reset button of a board, which has no effect without power. */
	reset(node: string): void;
	/** Takes the power from a board, or gives it back. */
	togglePower(node: string): void;
}
