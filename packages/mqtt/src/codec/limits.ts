/**
 * Limits of the codec that the specification does not set. The size of packets is bounded by the connection; these bound
 * how long one packet of that size may keep the process from its other work.
 */

/**
 * Topic filters in one SUBSCRIBE or UNSUBSCRIBE: about 20 ms of decoding. A packet of 1 MiB could hold 260,000.
 * More ends the connection with 0x97 (Quota exceeded).
 */
export const FILTERS_PER_PACKET_MAX = 16_384

/**
 * Properties of one packet, user properties included: about 3 ms of decoding, also for a client that has not logged in. Those of PUBLISH
 * pass through as they are, but not to other protocols and selectors: there 80,000 of them, in one message of 1 MiB, took 0.2 to 0.9 s.
 * More ends the connection with 0x97 (Quota exceeded).
 */
export const PROPERTIES_PER_PACKET_MAX = 2_048

/** Characters of a reason string we send. Longer ones are cut: they are for a log line, and may repeat a peer's words. */
export const REASON_CHARS_MAX = 512
