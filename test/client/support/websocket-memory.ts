import type { TCP, TCPOptions } from "../../../src/device";
import { InMachineSocket } from "../../support/in-machine-socket";
import { webSocketDevice } from "./websocket-device";

// Runs inside XS: opens connections, and keeps them.

export default function main(keep: (open: (overWebSocket: boolean) => void) => void): void {
	const { turn, device } = webSocketDevice();
	const { io: WebSocket, ...options } = device.tcp as typeof device.tcp & { TCP: typeof device.tcp };
	const ignore = (): void => {};
	const common: TCPOptions = {
		host: "broker.example",
		address: "192.168.1.10",
		port: 9001,
		onReadable: ignore,
		onWritable: ignore,
		onError: ignore,
	};
	const sockets: TCP[] = [];
	keep((overWebSocket) => {
		if (!overWebSocket) {
			sockets.push(new options.TCP.io(common));
			return;
		}
		sockets.push(new WebSocket({ ...common, ...options }));
		InMachineSocket.last.grant();
		turn();
	});
}
