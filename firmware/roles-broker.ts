import type * as Roles from "./roles";

/** The roles of an image that is a broker only. */
export { startBroker, stayOnNetwork } from "./broker-role";
export const startSensor: typeof Roles.startSensor | undefined = undefined;
