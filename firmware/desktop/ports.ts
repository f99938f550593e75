/** Whether a listener can be opened on a port, 1 … 65535. */
export function isPortFree(this: void, port: number): boolean {
	return native("xs_firefly_port_is_free").call(this, port) as boolean;
}
