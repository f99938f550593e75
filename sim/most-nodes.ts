/** Most nodes of a run: what a broker with a chip's memory serves, what announces them included. */
export const MAX_NODES = 20;
