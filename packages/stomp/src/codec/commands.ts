/** Commands by number, and from the bytes of a command line. They are case sensitive. [STOMP12-STOMP_Frames-c] */

/** Clients send the first eleven, servers the others. */
export const Command = {
  send: 1,
  subscribe: 2,
  unsubscribe: 3,
  ack: 4,
  nack: 5,
  begin: 6,
  commit: 7,
  abort: 8,
  disconnect: 9,
  connect: 10,
  stomp: 11,
  connected: 12,
  message: 13,
  receipt: 14,
  error: 15,
} as const

export type CommandId = (typeof Command)[keyof typeof Command]

/** By number; '' for 0, which is no command. */
export const COMMAND_NAMES: readonly string[] = [
  '',
  'SEND',
  'SUBSCRIBE',
  'UNSUBSCRIBE',
  'ACK',
  'NACK',
  'BEGIN',
  'COMMIT',
  'ABORT',
  'DISCONNECT',
  'CONNECT',
  'STOMP',
  'CONNECTED',
  'MESSAGE',
  'RECEIPT',
  'ERROR',
]

/** A command line with its end: UNSUBSCRIBE, CR and LF. What is longer is no command. */
export const COMMAND_LINE_BYTES_MAX = 13

/** Length and first letter tell all of them apart. */
const SLOT_COUNT = 16 * 32
const SLOTS = new Uint8Array(SLOT_COUNT)
const NAME_BYTES: readonly Uint8Array[] = COMMAND_NAMES.map((name) => Buffer.from(name, 'latin1'))
for (let id = 1; id < NAME_BYTES.length; id++) SLOTS[slotOf(NAME_BYTES[id]!.length, NAME_BYTES[id]![0]!)] = id

/** The command that is exactly `bytes[start, end)`; 0 when there is none. Hot path. */
export function commandOf(bytes: Uint8Array, start: number, end: number): CommandId | 0 {
  const size = end - start
  if (size < 3 || size > 11) return 0
  const id = SLOTS[slotOf(size, bytes[start]!)]!
  const name = NAME_BYTES[id]!
  if (name.length !== size) return 0
  for (let index = 0; index < size; index++) if (name[index] !== bytes[start + index]) return 0
  return id as CommandId
}

function slotOf(size: number, first: number): number {
  return size * 32 + (first & 31)
}

/** SEND, MESSAGE and ERROR. [STOMP12-Body-a] */
export function mayHaveBody(command: number): boolean {
  return command === Command.send || command === Command.message || command === Command.error
}

/** CONNECT, its other name STOMP, and CONNECTED: their headers have no escapes in any version. [STOMP12-Value_Encoding-b] */
export function isOfLogin(command: number): boolean {
  return command >= Command.connect && command <= Command.connected
}

/** Whether a client may send it at all. */
export function isClientCommand(command: number): boolean {
  return command >= Command.send && command <= Command.stomp
}
