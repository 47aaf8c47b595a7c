/** Every limit of this package, with its unit, its reason and what happens beyond it. */

/** Characters (code points) of a user name. Beyond it the name is refused when set, and unknown at login. */
export const USER_NAME_CHARS_MAX: number = 256

/** Bytes of a password. Beyond it setting is refused, and so is a login, unhashed: strangers must not set our work. */
export const PASSWORD_BYTES_MAX: number = 1_024

/** Bytes of one SCRAM message: room for the longest name and nonce. Beyond it the exchange is refused. */
export const SCRAM_MESSAGE_BYTES_MAX: number = 4_096

/** Characters of the client's half of the SCRAM nonce. Beyond it the exchange is refused. */
export const SCRAM_NONCE_CHARS_MAX: number = 256

/** PBKDF2 rounds of a SCRAM verifier: from what RFC 7677 §4 asks to what a client finishes in seconds. Else refused. */
export const SCRAM_ITERATIONS_MIN: number = 4_096
export const SCRAM_ITERATIONS_MAX: number = 10_000_000

/** Bytes that one scrypt run may use. Beyond it the parameters are refused. */
export const SCRYPT_MEMORY_BYTES_MAX: number = 256 * 1024 * 1024

/** N × r × p of one scrypt run, about two seconds of one core. Beyond it the parameters are refused. */
export const SCRYPT_WORK_MAX: number = 2 ** 22

/** Logins waiting for a hash: ten seconds of work, which is how long a connection waits for one. Beyond it: 'busy'. */
export const HASH_WAITING_MAX: number = 128

/** Longest wait for a hash in ms. Beyond it a login is 'busy' without hashing: its client has given up. */
export const HASH_WAIT_MS_MAX: number = 8_000

/** Remembered logins, about 150 bytes each. Beyond it the oldest is forgotten and hashed again at its next login. */
export const VERIFIED_ENTRIES_MAX: number = 20_000

/** A remembered login is forgotten after this many ms and hashed again. */
export const VERIFIED_LIFETIME_MS: number = 24 * 60 * 60 * 1_000

/** Users of one store. Beyond it adding a user is refused. */
export const USERS_MAX: number = 100_000

/** Names of removed users that no broker has heard of. Beyond it a removal is refused until one has been started. */
export const REMOVED_NAMES_MAX: number = 100_000

/** Bytes of a users file. Beyond it the file is refused unread: it cannot be one of ours. */
export const USERS_FILE_BYTES_MAX: number = 256 * 1024 * 1024

/** Changes of a users file waiting for the disk. Beyond it a change is refused. */
export const USER_CHANGES_WAITING_MAX: number = 1_000

/** Access rules of one source: the configuration, the permissions made through the API. Beyond it all of the source is refused. */
export const RULES_MAX: number = 10_000

/** Topic patterns of one rule. Beyond it the configuration is refused. */
export const PATTERNS_PER_RULE_MAX: number = 1_000

/** Patterns of rules that are read, or looked at for an explanation, in one turn. Beyond it the rest follows in later turns. */
export const PATTERNS_PER_PIECE: number = 500

/** UTF-8 bytes of a topic pattern: the longest topic MQTT can carry. Beyond it the configuration is refused. */
export const PATTERN_BYTES_MAX: number = 65_535

/** Levels of a topic pattern: those of the longest topic that `mqtt.maxTopicLevels` can allow, and '#'. Beyond it the rule is refused. */
export const PATTERN_LEVELS_MAX: number = 1_025

/** Groups of one user. Beyond it the user is refused: a decision asks the rules of each. */
export const GROUPS_PER_USER_MAX: number = 32

/** Rules that an explanation of one decision shows. Beyond it those of the least weight are only counted. */
export const EXPLAINED_RULES_MAX: number = 200

/** Pairs of user and address whose failed logins are counted. Beyond it the one that was tried longest ago begins anew. */
export const GUARDED_PAIRS_MAX: number = 20_000

/** Addresses whose failed logins are counted. Beyond it the one that was tried longest ago begins anew. */
export const GUARDED_ADDRESSES_MAX: number = 20_000

/** Pairs that have logged in and do not wait for others at their address. Beyond it the oldest waits like others. */
export const RIGHT_PAIRS_MAX: number = 20_000

/** Tokens of the REST API. Beyond it making one is refused. */
export const TOKENS_MAX: number = 10_000

/** Characters of a token's name or id. Beyond it the token is refused. */
export const TOKEN_NAME_CHARS_MAX: number = 100
