import type { Device } from "../device";

/** What of the host the broker needs. */
export type Host = Pick<Device, "listener" | "tcp" | "timer" | "time" | "event" | "trace"> &
	Partial<Pick<Device, "clockIsSet" | "storage">> & {
		/** Whether a new view for each packet is cheaper here than resizing a buffer: true on V8. */
		readonly newViews?: boolean;
	};
