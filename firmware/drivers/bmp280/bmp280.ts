import Sensor from "embedded:sensor/Barometer-Temperature/BMP280";
import { busDriver } from "../sensor-bus";

/** `thermometer.temperature` in °C, `barometer.pressure` in pascals. */
export default busDriver(Sensor);
