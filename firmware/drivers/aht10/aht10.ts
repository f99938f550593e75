import Sensor from "embedded:sensor/Humidity-Temperature/AHT10";
import { busDriver } from "../sensor-bus";

/** `thermometer.temperature` in °C, `hygrometer.humidity` in percent. */
export default busDriver(Sensor);
