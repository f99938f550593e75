/** `embedded:network/mqtt/client`, in place of the SDK's class. */
import { MQTTClient } from "firefly/client/ecma419/mqtt-client";
import Time from "time";
import Timer from "timer";
import type { MQTTClientOptions } from "../../src/client/ecma419/options";
import type { Timer as TimerClass } from "../../src/device";

export default class extends MQTTClient {
	constructor(options: MQTTClientOptions) {
		super(options, { timer: Timer as unknown as TimerClass, time: Time, trace });
	}
}
