import { startBroker as broker, stayOnNetwork as network } from "./broker-role";
import { startSensor as sensor } from "./sensor-role";

/*
 * The roles of the image with both; an image with one of them has roles-sensor.ts or roles-broker.ts in place
 * of this module. Undefined: the image does not have it.
 */

export const startBroker: typeof broker | undefined = broker;
export const stayOnNetwork: typeof network | undefined = network;
export const startSensor: typeof sensor | undefined = sensor;
