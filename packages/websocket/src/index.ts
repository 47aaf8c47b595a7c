/** The byte pipe over WebSocket, plain and over TLS. */
export type { CloseCause } from './close-codes.ts'
export type { AllowedOrigin } from './origins.ts'
export {
  createSecureWebSocketListener,
  createWebSocketListener,
  type LiveWebSocketListener,
  type SecureWebSocketListenerOptions,
  type WebSocketListenerOptions,
  type WebSocketListenerSettings,
  type WebSocketSettings,
} from './websocket-listener.ts'
