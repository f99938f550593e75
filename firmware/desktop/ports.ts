/** Whether a listener can be opened on a port, 1 … 65535. */
function isPortFree(this: void, port: number): boolean {
	return native("xs_firefly_port_is_free").call(this, port) as boolean;
}

/**
 * Where a port is in use, the SDK's listener throws in its constructor, and mcsim ends with a segmentation
 * fault some time later: this is to be called before.
 * @param port 0: any
 * @throws if another program has the port
 */
export function requireFreePort(port: number | undefined): void {
	if (port && !isPortFree(port))
		throw new Error(`port ${port} is in use by another program: choose another listen.port, or end that one`);
}
