import type { Device } from "../../device";

/** The parts of the host that the broker uses. */
export type Host = Pick<Device, "listener" | "tcp" | "timer" | "time" | "event" | "trace"> &
	Partial<Pick<Device, "clockIsSet" | "storage">> & {
		/** Whether a new view for each packet is cheaper than resizing a buffer: true on V8. */
		readonly newViews?: boolean;
		/**
		 * Whether close() of a socket sends what was written, then FIN, and discards what the peer still sends
		 * for a bounded time. The SDK's sockets cannot: there the broker discards before it closes.
		 */
		readonly lingeringClose?: boolean;
	};
