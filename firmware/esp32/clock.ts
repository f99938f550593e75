/** @param seconds since 1970, a whole number @param microseconds 0 … 999,999 */
export function setClock(this: void, seconds: number, microseconds: number): void {
	native("xs_firefly_set_clock").call(this, seconds, microseconds);
}
