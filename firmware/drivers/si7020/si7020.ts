import Sensor from "embedded:sensor/Humidity-Temperature/SI7020";
import { busDriver } from "../sensor-bus";

/** After a reset it does not answer (datasheet §4.1, table 2). */
const RESET_MS = 15;

/** `thermometer.temperature` in °C, `hygrometer.humidity` in percent. */
export default busDriver(Sensor, () => RESET_MS);
