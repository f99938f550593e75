import type { Device } from "../../device";

/** The parts of the host that the broker uses. */
export type Host = Pick<Device, "listener" | "tcp" | "timer" | "time" | "event" | "trace"> &
	Partial<Pick<Device, "clockIsSet" | "storage">> & {
		/** Whether a new view for each packet is cheaper than resizing a buffer: true on V8. */
		readonly newViews?: boolean;
	};
