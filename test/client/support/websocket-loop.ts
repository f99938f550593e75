import { runQueueLoop } from "./queue-loop";
import { webSocketDevice } from "./websocket-device";

// Runs inside XS: as queue-loop.ts, over WebSocket.

export default function main(keep: (run: (count: number) => void) => void): void {
	runQueueLoop(webSocketDevice(), keep);
}
