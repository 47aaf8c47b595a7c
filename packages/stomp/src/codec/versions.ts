/** Versions of STOMP: which one a session speaks, and what they say differently about heart-beats. */

/** 1.0, 1.1 and 1.2, in an order that can be compared. */
export type StompVersion = 10 | 11 | 12

/** As the `version` header has it. */
export const VERSION_NAMES: Readonly<Record<StompVersion, string>> = { 10: '1.0', 11: '1.1', 12: '1.2' }

/** For `version` of an ERROR that refuses a client, and for people. */
export const VERSIONS_SPOKEN = '1.2,1.1,1.0'

/** Milliseconds of a heart-beat that are taken; what is longer counts as this. A day: such a heart-beat finds nothing out. */
export const HEART_BEAT_MS_MAX = 86_400_000

/**
 * The highest version of a client's `accept-version` that is spoken here; 1.0 for a client that sends none. Undefined when they have
 * none in common. Order and spaces do not matter. [STOMP12-Protocol_Negotiation-b] [STOMP12-Protocol_Negotiation-c]
 */
export function negotiate(acceptVersion: string | undefined): StompVersion | undefined {
  if (acceptVersion === undefined) return 10
  const accepted = new Set(acceptVersion.split(',', ACCEPTED_VERSIONS_MAX).map((name) => name.trim()))
  for (const version of [12, 11, 10] as const) if (accepted.has(VERSION_NAMES[version])) return version
  return undefined
}

/** More of them in one header are not looked at. */
const ACCEPTED_VERSIONS_MAX = 32

/** What one side can send and would like to get, in ms; 0 for never. */
export interface HeartBeat {
  readonly sendsMs: number
  readonly wantsMs: number
}

/** No `heart-beat` header means "0,0". Undefined for a header that is not two whole numbers. [STOMP12-Heart-beating-b] */
export function parseHeartBeat(header: string | undefined): HeartBeat | undefined {
  if (header === undefined) return { sendsMs: 0, wantsMs: 0 }
  const [, sends, wants] = /^ *(\d{1,15}) *, *(\d{1,15}) *$/.exec(header) ?? []
  if (sends === undefined || wants === undefined) return undefined
  return { sendsMs: Math.min(Number(sends), HEART_BEAT_MS_MAX), wantsMs: Math.min(Number(wants), HEART_BEAT_MS_MAX) }
}

/** How often one direction has heart-beats, in ms; 0 for never. [STOMP12-Heart-beating-c] [STOMP12-Heart-beating-d] */
export function heartBeatMs(sender: HeartBeat, receiver: HeartBeat): number {
  return sender.sendsMs === 0 || receiver.wantsMs === 0 ? 0 : Math.max(sender.sendsMs, receiver.wantsMs)
}
