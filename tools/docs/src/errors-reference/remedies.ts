/** What each code means for whoever gets it, and what helps. A code that is missing here, or here and nowhere else, does not compile. */
import type { AuthErrorCode } from '@ternmq/auth'
import type { BrokerErrorCode } from '@ternmq/broker'
import type { ProblemCode } from '@ternmq/management'
import type { TransportErrorCode } from '@ternmq/transport'

/** Of the admin API: title and status are in packages/management. */
export const PROBLEM_REMEDIES: Readonly<Record<ProblemCode, string>> = {
  VHOST_UNKNOWN: 'Only the virtual host `/` is there; in a path it is written `%2F`.',
  QUEUE_UNKNOWN: 'Look for the name among the queues; a queue may have gone by itself (`autoDelete`).',
  MESSAGE_GONE: 'It was taken, moved, dropped or has expired since it was looked at. Browse again.',
  SESSION_UNKNOWN: 'Sessions end when they expire, and when their client starts anew.',
  CONNECTION_UNKNOWN: 'It has ended: `GET /connection-history` says why.',
  TOPIC_UNKNOWN: 'Nothing is retained for the topic. Topics themselves are not made: any can be published to.',
  SCHEDULE_UNKNOWN: 'It was sent, or taken back.',
  OPERATION_UNKNOWN: 'The last hundred that have ended are remembered, for a week over restarts.',
  USER_UNKNOWN: 'Names are compared letter by letter. `ternmq users list` shows who there is.',
  PERMISSION_UNKNOWN: 'Ids are compared letter by letter; those of the configuration are called by their place.',
  POLICY_UNKNOWN: 'Ids are compared letter by letter; those of the configuration are called by their place.',
  TOKEN_UNKNOWN: 'It was taken back, or its user was removed.',
  ROUTE_UNKNOWN: 'See method and path in `/api/v1/openapi.json`. A name in a path must be percent-encoded.',
  INVALID: '`field`, `value` and `rule` say which field is wrong and what it may be; `others` has the rest.',
  NOT_LOGGED_IN:
    'Send a token (`Authorization: Bearer tmq_…`), name and password, or log in. A login of a browser ends after a while.',
  LOGIN_REFUSED: 'The name is unknown or the password is wrong; which of the two is not told.',
  LOCKED_OUT:
    'Wait as long as the text, `retry-after` and `retryAfterMs` say. A right password before that is not looked at either.',
  CSRF: 'Send `csrfToken` of `GET /session` as `x-csrf-token`. Behind a proxy, name its address in `console.origins`.',
  NOT_ALLOWED:
    'The role or token has not the scope that the call needs, or no permission allows it. `GET …/can` says which rule decides.',
  EXISTS: 'Take another name, or change what is there.',
  CONFLICT: 'The text says what is in the way.',
  FROM_CONFIG: 'Change it in the configuration, and reload.',
  CHANGED_SINCE: 'Make the plan again and look at it before you apply it.',
  TURNS_ACCESS: 'Look at what the text says; if it is meant, send the call again with `everybody` as `rule` has it.',
  LIMIT_REACHED: 'The text names the limit. Remove something, or raise it where the configuration has it.',
  TOO_LARGE:
    "Bodies have up to 1 MiB, of `publish` and of definitions up to 16 MiB, of a login 16 KiB; 1,000 fields of one object, a message's properties among them; 20,000 entries of lists and objects, of definitions and settings 1,000,000; 32 levels. Address and headers together have up to 32 KiB.",
  UNSUPPORTED: 'Send JSON with `content-type: application/json`.',
  BUSY: 'Try again, as `retry-after` says.',
  STORE_FAILED: 'See `GET /store`: the disk is full or failed. What was not acknowledged was not kept.',
  BROKEN: 'A fault of the broker. The log has more under the number in the text; please report it.',
  UNREACHABLE:
    'Of `ternmq console`: it has no connection to its broker. The text has the reason; see the broker, the network, the address.',
  NO_ANSWER:
    'Of `ternmq console`: its broker took the call and said nothing. A call that changes something may be done: look first.',
}

type Remedies<Code extends string> = Readonly<Record<Code, readonly [meaning: string, remedy: string]>>

export const BROKER_REMEDIES: Remedies<BrokerErrorCode> = {
  CONFIG_INVALID: ['The configuration cannot be.', '`ternmq config check` finds all mistakes at once.'],
  LISTENER_EXPOSED: [
    'A listener can be reached from other machines, and nobody could log in to it.',
    'Make a user, or allow anonymous clients for that listener in so many words.',
  ],
  CERTIFICATE_MISSING: [
    'A listener needs a certificate and has none.',
    'Set `tls.cert` and `tls.key` of the listener.',
  ],
  DATA_DIR_IN_USE: [
    'Another process uses the data directory.',
    'Stop it, or choose another directory with `--data-dir`.',
  ],
  DATA_DIR_UNUSABLE: [
    'The data directory cannot be read or written.',
    'The text says why; often its owner is another user.',
  ],
  ADMIN_SOCKET_FAILED: [
    'The socket in the data directory cannot be opened.',
    'Choose another directory with `--data-dir`.',
  ],
  CONSOLE_PORT_FAILED: [
    'The port of the console cannot be opened.',
    'Set `console.port`, of `ternmq console` `--port`, or stop what has it.',
  ],
  CA_UNREADABLE: ['The file of `--ca` cannot be read.', 'The text says why.'],
  FILE_UNREADABLE: ['A file that a command was told to read cannot be read.', 'The text says why.'],
  FILE_UNWRITABLE: [
    'A file that a command was told to write cannot be written; what was there before still is.',
    'The text says why.',
  ],
  OUTPUT_LOST: [
    'What a command printed did not all arrive where it was sent to. Messages that it had taken are back in their queue.',
    'See to the file system or the program that reads it, then run the command again.',
  ],
  NOT_CONFIRMED: [
    'A command asked whether it may destroy something, and the answer was not yes.',
    'Give `--yes` in scripts.',
  ],
  COMMAND_REFUSED: ['A command cannot do what it was told.', 'The text says why.'],
  PASSWORD_NOT_GIVEN: ['A command needs a password and got none.', 'Type it, or send it to standard input.'],
  PASSWORD_UNUSABLE: ['The password cannot be one.', 'The text says which rule it breaks.'],
  STORE_UNUSABLE: ['The journal cannot be opened.', '`ternmq store verify` says what is wrong with it.'],
  STORE_FAILED: [
    'The disk failed while the broker ran; it stopped, so that nothing was acknowledged that is not kept.',
    'See the log and the disk, then start again.',
  ],
}

export const AUTH_REMEDIES: Remedies<AuthErrorCode> = {
  AUTH_NAME_INVALID: ['A name of a user or group cannot be one.', 'The text says which rule it breaks.'],
  AUTH_PASSWORD_INVALID: ['A password cannot be one.', 'The text says which rule it breaks.'],
  AUTH_VERIFIER_INVALID: ['The stored form of a password cannot be read.', 'Set the password anew.'],
  AUTH_COST_INVALID: ['The cost of password hashes is out of its limits.', 'The text has the limits.'],
  AUTH_RULES_INVALID: ['A rule or permission cannot be.', 'The text names the rule, the value and what is allowed.'],
  AUTH_TOKEN_INVALID: [
    'A token, or the record of one, cannot be.',
    'The text says what is wrong with it; make a new one.',
  ],
  AUTH_TOKENS_FULL: ['There are as many tokens as there may be.', 'Take back those that nobody uses.'],
  AUTH_USERS_CORRUPT: ['The file of users is damaged.', 'Restore it from a backup; the text says where it is wrong.'],
  AUTH_USERS_NEWER: ['A later version wrote the file of users.', 'Start that version.'],
  AUTH_USERS_FULL: ['There are as many users as there may be.', 'Remove some first.'],
  AUTH_USERS_BUSY: ['The file of users was closed, or too many changes wait.', 'Try again.'],
  AUTH_USERS_UNREADABLE: ['The file of users cannot be read.', 'The text has the reason of the system.'],
  AUTH_USERS_UNWRITABLE: [
    'The file of users cannot be written; nothing has changed.',
    'The text has the reason of the system.',
  ],
  AUTH_USERS_UNSYNCED: [
    'A change of users counts, but may be lost when the power fails now.',
    'See the disk; make the change again.',
  ],
}

export const TRANSPORT_REMEDIES: Remedies<TransportErrorCode> = {
  LISTENER_PORT_IN_USE: [
    'Another program has the port.',
    'Stop it, or set `listeners.NAME.port`; 0 lets the system choose.',
  ],
  LISTENER_ADDRESS_UNKNOWN: ['The machine has not the address.', 'Set `listeners.NAME.host`.'],
  LISTENER_NOT_PERMITTED: ['The system does not permit the port.', 'Take a port above 1023, or give the permission.'],
  LISTENER_CANNOT_BIND: ['The listener cannot be opened.', 'The text has the reason of the system.'],
  CERTIFICATE_UNREADABLE: [
    'A file of a certificate cannot be read.',
    'The text names it and the reason of the system.',
  ],
  CERTIFICATE_INVALID: ['A certificate cannot be used.', 'The text says what is wrong: form, key, or date.'],
}
