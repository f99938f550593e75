/** Station address, 12 lower-case hexadecimal digits. */
export function mac(this: void): string {
	return native("xs_firefly_mac").call(this) as string;
}

/** The chip's name: "esp32", "esp32c3" … */
export function chip(this: void): string {
	return native("xs_firefly_chip").call(this) as string;
}
