/** Every limit of the server. What stands beside it happens beyond it. */

/** Bytes of a body; 413. */
export const BODY_BYTES_MAX = 1_048_576
/** Bytes of the body of calls that carry a message or all definitions; 413. */
export const LARGE_BODY_BYTES_MAX = 16_777_216
/** Bytes of the body of a login, whose caller nobody knows yet; 413. */
export const LOGIN_BODY_BYTES_MAX = 16_384
/** Time for the body of a login to come in; 400, and the connection is closed. */
export const LOGIN_BODY_MS = 10_000
/** Entries of all lists and objects in a body together, counted before anything is made of it; 413. Of a login, of definitions and settings, of others. */
export const LOGIN_ENTRIES_MAX = 16
export const LARGE_BODY_ENTRIES_MAX = 1_000_000
export const BODY_ENTRIES_MAX = 20_000
/** Fields of one object in a body, the properties of a message among them; 413. */
export const OBJECT_FIELDS_MAX = 1_000
/** Lists and objects within one another in a body; 413. */
export const BODY_DEPTH_MAX = 32
/** Bytes of a body that are looked through in one turn. */
export const BODY_BYTES_PER_TURN = 1_048_576
/** Bytes of bodies that are not read to their end, of all and of one user; 503. */
export const UNREAD_BYTES_MAX = 268_435_456
export const UNREAD_BYTES_PER_USER_MAX = 67_108_864
/** Bytes of address and headers together; 431, and the connection is closed. */
export const HEADER_BYTES_MAX = 32_768
/** Header lines; those beyond are not read. */
export const HEADERS_MAX = 100
/** How often calls that take too long to come in are looked for; 408, and the connection is closed. */
export const TIMEOUT_CHECK_MS = 1_000
/** Time without a call after which a connection is closed. */
export const KEEP_ALIVE_MS = 65_000
/** Time without a byte in either direction, longer than any call waits, after which a connection is cut: its caller does not read its answer. */
export const SILENCE_MS = 120_000
/** Calls over one connection, after which it is closed, so that callers spread anew. */
export const CALLS_PER_CONNECTION_MAX = 100_000
/** Time that calls under way have to end when the server stops; then their connections are cut. */
export const CLOSE_GRACE_MS = 1_000

/** Logins of browsers, of all and of one user; the one that was used least recently ends. */
export const SESSIONS_MAX = 1_000
export const SESSIONS_PER_USER_MAX = 20

/** Streams, of all, of all users without a role, and of one user; 422. */
export const STREAMS_MAX = 256
export const STREAMS_WITHOUT_ROLE_MAX = 192
export const STREAMS_PER_USER_MAX = 16
/** A comment is sent after so long without an event: proxies cut what is silent, and whoever may read no more is found. */
export const STREAM_HEARTBEAT_MS = 15_000
/** Bytes written to a stream and not taken yet; beyond it the sink is not writable. */
export const STREAM_PENDING_BYTES_MAX = 262_144
/** Beyond it the stream is ended: its caller does not read. */
export const STREAM_ABANDONED_BYTES_MAX = 4_194_304

/** Items of a list in a body that are checked in one turn, and of one in an answer that are written; the rest follows in later turns. */
export const LIST_ITEMS_PER_TURN = 1_000
/** Entries within the items of a list in a body that are checked in one turn; one item may have more. */
export const ITEM_ENTRIES_PER_TURN = 8_000

/** Wrong fields that are told of one call. */
export const ISSUES_MAX = 16
/** Characters of a wrong value that are repeated. */
export const SHOWN_CHARS_MAX = 80

/** Bytes of the built pages that are kept in memory; the rest is not served. */
export const PAGES_BYTES_MAX = 33_554_432
export const PAGES_FILES_MAX = 2_000

/** Of a console alone. Calls that are under way to its broker; 503. */
export const REMOTE_CALLS_MAX = 256
/** Its connections of browsers and scripts; beyond them the oldest that has had no answer to a call gives way, then the idlest. */
export const REMOTE_CONNECTIONS_MAX = 256
/** Time for a connection to the broker to be made, then 502; one that is kept without a call for so long is closed. */
export const REMOTE_CONNECT_MS = 10_000
/** Time without a byte from the broker or to it, longer than any call waits; 504, and a stream is cut. */
export const REMOTE_SILENCE_MS = 90_000
/** Consoles that a call may come through; 409. */
export const REMOTE_HOPS_MAX = 4
