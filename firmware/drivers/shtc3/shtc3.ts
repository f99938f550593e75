import Sensor from "embedded:sensor/Humidity-Temperature/SHTC3";
import { busDriver } from "../sensor-bus";

/**
 * `thermometer.temperature` in °C, `hygrometer.humidity` in percent; with a wrong checksum both are left out.
 * The sensor sleeps between samples.
 */
export default busDriver(Sensor);
