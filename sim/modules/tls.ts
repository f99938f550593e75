import TCP from "embedded:io/socket/tcp";
import type { BrokerTLSSettings } from "../../src/config/types";
import type { TCPConstructor, TCPOptions } from "../../src/device";
import type { Native } from "./native";

/** Options of the firmware's TLS socket, `transport/tls`. */
interface TLSOptions extends TCPOptions {
	readonly secure?: BrokerTLSSettings;
}

const Plain = TCP as unknown as TCPConstructor;

/** Stands for the firmware's TLS socket: TLS is this machine's. */
export default class TLSSocket extends Plain {
	protected open({ address, port, host, secure = {} }: TLSOptions): number {
		const { serverName = host, ca, fingerprint, certificate, key } = secure;
		return (native("sim_tls_open") as Native).call(
			undefined,
			address,
			port,
			serverName,
			ca,
			fingerprint,
			certificate,
			key,
		) as number;
	}
}
