import type { TCPConstructor, TCPOptions } from "../../src/device";
import { SecureConnection, type SecureOptions } from "../network/secure-connection";
import { NodeTCP, type Opening } from "./node-tcp";

/**
 * The class of outgoing sockets over TLS on this machine.
 * @param directory that certificates are relative to
 */
export function nodeTLS(directory: string): TCPConstructor {
	return class NodeTLS extends NodeTCP {
		/** @throws Error for a file that cannot be used */
		protected override open(
			options: TCPOptions & { address: string; port: number; secure?: Partial<SecureOptions> },
			onConnected: () => void,
		): Opening {
			const { address, port, host = address, nodelay = false, secure } = options;
			const connection = new SecureConnection(
				address,
				port,
				{ serverName: host, ...secure },
				directory,
				onConnected,
			);
			connection.socket.setNoDelay(nodelay);
			return connection;
		}
	};
}
