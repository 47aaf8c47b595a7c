/** Numbers of a broker as Prometheus reads them. Pure: whoever has the numbers gives them, whoever was asked sends the text. */
export { DESTINATIONS_MAX_DEFAULT } from './busiest.ts'
export type {
  CertificateNumbers,
  DestinationNumbers,
  EventLoopNumbers,
  ListenerNumbers,
  LoginNumbers,
  MessageNumbers,
  MetricsSnapshot,
  ProcessNumbers,
  ProtocolConnections,
  ProtocolMessages,
  StoreNumbers,
} from './snapshot.ts'
export { type HistogramMetric, type Metric, METRICS, type MetricType, type SimpleMetric } from './table.ts'
export { METRICS_CONTENT_TYPE, MetricsText } from './text.ts'
