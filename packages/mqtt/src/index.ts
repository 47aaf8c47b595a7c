/** The MQTT adapter: MQTT 3.1, 3.1.1 and 5.0. */
export { MqttAdapter, type MqttAdapterOptions } from './adapter.ts'
export { DEFAULT_MQTT_SETTINGS, type MqttSettings } from './settings.ts'
