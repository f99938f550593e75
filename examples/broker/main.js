/* A broker alone: MQTT on port 1883, WebSocket and the status page on port 8080. */
import TCP from "embedded:io/socket/tcp";
import { Broker } from "firefly/broker/broker";
import { CountedListener } from "firefly/listener";
import Time from "time";
import Timer from "timer";
import { listen, problems } from "./settings";

const REPORT_MS = 10_000;

for (const problem of problems) trace(problem, "\n");

const broker = new Broker(
	{
		tcp: { io: TCP },
		listener: { io: CountedListener },
		timer: Timer,
		time: Time,
		trace: (message) => trace(message, "\n"),
	},
	listen,
	"Example",
);
try {
	broker.start();
	trace(`broker: port ${broker.port}, WebSocket and status page on port ${broker.webSocketPort}\n`);
} catch (error) {
	// Another program has one of the ports, in mcsim.
	trace(`broker: cannot start: ${error}\n`);
}

Timer.set(() => trace(`broker: ${broker.counters.publishesReceived} messages\n`), REPORT_MS, REPORT_MS);
