import Sensor from "embedded:sensor/Humidity-Temperature/SHT3x";
import { busDriver } from "../sensor-bus";

/**
 * `thermometer.temperature` in °C, `hygrometer.humidity` in percent; either is left out when its checksum is
 * wrong.
 */
export default busDriver(Sensor);
