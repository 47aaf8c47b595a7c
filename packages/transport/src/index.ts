/** TCP and TLS listeners, certificates, the write slab, and the real world's clock. */
export { Acceptor, type Admit } from './acceptor.ts'
export { type AnyListenerOptions, createAnyListener } from './any/any-listener.ts'
export {
  type CertificateFiles,
  type CertificateWatch,
  readAuthority,
  readCertificate,
  type ServerCertificate,
  watchCertificate,
} from './tls/certificate-files.ts'
export { ConnectionBudget, type ConnectionBudgetOptions, FILES_KEPT } from './connection-budget.ts'
export {
  type DevelopmentCertificates,
  developmentCertificates,
  type DevelopmentRequest,
} from './tls/development-certificates.ts'
export { DETECT_BYTES_MAX, type DetectedProtocol, type Detection, detectProtocol } from './any/detect.ts'
export { closeReason, TransportError, type TransportErrorCode } from './errors.ts'
export { Handshakes } from './handshakes.ts'
export { adopt, type ReadingInPlace, readingInPlace } from './in-place-reading.ts'
export type {
  BoundAddress,
  Listener,
  ListenerContext,
  ListenerEvent,
  ListenerOptions,
  ListenerSettings,
  ListenerStats,
  PeerFault,
} from './listener.ts'
export { HANDSHAKE_MS } from './listener.ts'
export {
  HIGH_WATER_BYTES,
  LOW_WATER_BYTES,
  Outbox,
  type OutboxLimits,
  SHORT_HIGH_WATER_BYTES,
  STUCK_BYTES_MAX,
  UNSENT_BYTES_MAX,
} from './output/outbox.ts'
export { ProtocolChooser, type ProtocolChooserOptions, type UndecidedTransport } from './any/protocol-chooser.ts'
export { realEnv } from './real-env.ts'
export { CLOSE_FLUSH_MS, nextTransportId, TURN_READ_BYTES_MAX } from './socket-transport.ts'
export { createTcpListener, type TcpListenerOptions } from './tcp.ts'
export { createTlsListener, type SecureListener } from './tls/tls.ts'
export { TlsAcceptor } from './tls/tls-acceptor.ts'
export type { AdmitSecure, ClientCertificates, TlsListenerOptions, TlsSettings } from './tls/tls-handshakes.ts'
export { TransportSet } from './transport-set.ts'
export { TurnQueue } from './turn-queue.ts'
export { SlabOutput } from './output/write-slab.ts'
