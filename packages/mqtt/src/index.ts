/** The MQTT adapter: MQTT 3.1, 3.1.1 and 5.0. */
export { MqttAdapter, type MqttAdapterOptions } from './adapter.ts'
/** For `VirtualHost.openLog`: how the headers of stored MQTT messages are read. */
export { mqtt3Headers, mqtt5Headers } from './headers.ts'
export { DEFAULT_MQTT_SETTINGS, type MqttSettings } from './settings.ts'
