import type { ClientOptions, WillOptions } from "../options";
import { DEFERRED_ANSWERS } from "../streamed-publish";
import { bytesOf } from "./bytes";
import type { ByteBuffer, MQTTClientOptions, Will } from "./options";

/** ms; the SDK's class waits as long for a connection. */
const CONNECT_TIMEOUT_MS = 30_000;
/** ms; a PUBACK, PUBREC, PUBCOMP, SUBACK or UNSUBACK that is later ends the connection. */
const ACKNOWLEDGE_TIMEOUT_MS = 30_000;

/**
 * The client's options for those of ECMA-419.
 * @throws RangeError for a value that MQTT 3.1.1 does not allow
 */
export function connectOptions(options: MQTTClientOptions): ClientOptions {
	const { host, port = 1883, id = "", clean = true, user, password, will } = options;
	if (!host) throw new RangeError("host is missing");
	if (!options.socket?.io) throw new RangeError("socket is missing");
	if (!options.dns?.io) throw new RangeError("dns is missing");
	if (id === "" && !clean) throw new RangeError("clean: false needs an id"); // [MQTT-3.1.1:3.1.3-7]
	const keepAlive = Math.ceil((options.keepAlive ?? options.keepalive ?? 0) / 1000);
	if (!(keepAlive >= 0 && keepAlive <= 65535)) throw new RangeError("keepAlive is 0 to 65,535,000 ms");
	const credentials = {
		...(user ? { username: user } : {}),
		...(password ? { password: textOrBytes(password) } : {}),
	};
	return {
		host,
		port,
		version: 4,
		keepAlive,
		// "It is an error to call write before the CONNACK control message has been received" (ECMA-419 §25).
		pipeline: false,
		clientId: id,
		...credentials,
		cleanStart: clean,
		sessionExpiry: 0,
		...(will ? { will: willOptions(will) } : {}),
		connectTimeout: CONNECT_TIMEOUT_MS,
		acknowledgeTimeout: ACKNOWLEDGE_TIMEOUT_MS,
		// A broker that is silent for one and a half intervals is gone: PINGREQ leaves after three quarters.
		pingTimeout: keepAlive > 0 ? keepAlive * 750 : CONNECT_TIMEOUT_MS,
		// The first piece of a payload may then fill what `onWritable` offers.
		sendBuffer: (options.sendBuffer ?? 1536) + DEFERRED_ANSWERS,
		receiveBuffer: options.receiveBuffer ?? 512,
		inFlight: options.inFlight ?? 16,
	};
}

/** @throws RangeError for a QoS that does not exist */
export function checkedQoS(QoS: number | undefined): 0 | 1 | 2 {
	if (QoS === undefined) return 0;
	if (QoS !== 0 && QoS !== 1 && QoS !== 2) throw new RangeError(`QoS ${QoS}`);
	return QoS;
}

function willOptions({ topic, message, QoS, retain }: Will): WillOptions {
	return { topic, payload: textOrBytes(message), qos: checkedQoS(QoS), retain: Boolean(retain), delay: 0 };
}

function textOrBytes(data: string | ByteBuffer): string | Uint8Array {
	return typeof data === "string" ? data : bytesOf(data);
}
