/* The whole firmware, with code of one's own beside it: here a light that would blink. */
import firefly from "firmware/main";
import Timer from "timer";

const BLINK_MS = 30_000;

/** Called at each start of the firmware: power-on, reset, and with `sleep.mode` "deep" at each wake. */
export default function main() {
	firefly();
	let on = false;
	Timer.set(
		() => {
			on = !on;
			trace(`the light is ${on ? "on" : "off"}\n`);
		},
		BLINK_MS,
		BLINK_MS,
	);
}
