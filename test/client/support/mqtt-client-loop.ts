import { MQTTClient } from "../../../src/client/ecma419/mqtt-client";
import { loopDevice } from "./loop-device";

// Runs inside XS: a program that writes one topic over and over, from one buffer, with the same options.

export default function main(keep: (run: (count: number) => void) => void): void {
	const { turn, device } = loopDevice();
	class Resolver {
		resolve({ host: name }: { host: string }, callback: (error: unknown, address: string) => void): void {
			callback(undefined, name);
		}
	}
	const client = new MQTTClient(
		{ host: "10.0.0.1", id: "loop", keepAlive: 60_000, dns: { io: Resolver }, socket: { io: device.tcp.io } },
		device,
	);
	turn();
	turn();
	const topic = "home/greenhouse/temperature";
	const payload = Uint8Array.of(50, 51, 46, 53);
	const options = [0, 1, 2].map((QoS) => ({ topic, QoS }));
	keep((count) => {
		for (let i = 0; i < count; i++) {
			for (let QoS = 0; QoS < 3; QoS++)
				if (client.write(payload, options[QoS]) <= 0) throw new Error("no room");
			turn();
		}
	});
}
