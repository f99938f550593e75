/**
 * From now on the chip sleeps lightly whenever none of its tasks has anything to do.
 * @throws {Error} if the image was built without power management, or for the debugger
 */
export default function startLightSleep(this: void): void {
	native("xs_firefly_light_sleep").call(this);
}
