import type * as Roles from "./roles";

/** The roles of an image that is a sensor node only. */
export { startSensor } from "./sensor-role";
export const startBroker: typeof Roles.startBroker | undefined = undefined;
export const stayOnNetwork: typeof Roles.stayOnNetwork | undefined = undefined;
