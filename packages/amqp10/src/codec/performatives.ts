/** The performatives of AMQP 1.0 as this broker reads and writes them. [AMQP10 §2.7, §3.5, §4.5, §5.3.3] */
import type { Value } from './values.ts'

export interface Open {
  readonly containerId: string
  readonly hostname?: string | undefined
  /** Bytes; at least 512. */
  readonly maxFrameBytes: number
  readonly channelMax: number
  /** 0: none. */
  readonly idleTimeoutMs: number
  readonly offered: readonly string[]
  readonly desired: readonly string[]
  readonly properties: ReadonlyMap<string, Value>
}

export interface Begin {
  /** Of the session that it answers; undefined where the peer begins one. */
  readonly remoteChannel: number | undefined
  readonly nextOutgoingId: number
  readonly incomingWindow: number
  readonly outgoingWindow: number
  readonly handleMax: number
}

/** Whether a sender settles: never before its receiver, at once, or as it likes. [AMQP10 §2.8.2] */
export type SenderSettleMode = 'unsettled' | 'settled' | 'mixed'
/** Whether a receiver settles when it has an outcome, or after its sender has. [AMQP10 §2.8.3] */
export type ReceiverSettleMode = 'first' | 'second'

/** A filter of a source. `encoded` is all of its value, described as it came, for sending it back. */
export interface Filter {
  /** Symbol or ulong of the described value; undefined for one that is not described. */
  readonly descriptor: string | bigint | undefined
  readonly value: Value
  readonly encoded: Uint8Array
}

/** What a source and a target have in common. */
export interface Terminus {
  readonly address: string | undefined
  /** 0 none, 1 configuration, 2 unsettled state. */
  readonly durable: number
  readonly expiryPolicy: 'link-detach' | 'session-end' | 'connection-close' | 'never'
  readonly timeoutSeconds: number
  readonly dynamic: boolean
  readonly dynamicNodeProperties: ReadonlyMap<string, Value>
  readonly capabilities: readonly string[]
}

export interface Source extends Terminus {
  readonly kind: 'source'
  readonly distributionMode: string | undefined
  readonly filters: ReadonlyMap<string, Filter>
  readonly defaultOutcome: DeliveryState | undefined
  readonly outcomes: readonly string[]
}

export interface Target extends Terminus {
  readonly kind: 'target'
}

/** The target of a link that controls transactions. [AMQP10 §4.5.1] */
export interface Coordinator {
  readonly kind: 'coordinator'
  readonly capabilities: readonly string[]
}

export interface Attach {
  readonly name: string
  readonly handle: number
  /** Of the peer that says it. */
  readonly role: 'sender' | 'receiver'
  readonly senderSettleMode: SenderSettleMode
  readonly receiverSettleMode: ReceiverSettleMode
  readonly source: Source | undefined
  readonly target: Target | Coordinator | undefined
  /** Delivery tags, as hexadecimal text, with the state that the peer has of each; undefined where it is null. */
  readonly unsettled: ReadonlyMap<string, DeliveryState | undefined> | undefined
  readonly incompleteUnsettled: boolean
  readonly initialDeliveryCount: number | undefined
  /** 0: no limit. */
  readonly maxMessageBytes: number
  readonly offered: readonly string[]
  readonly desired: readonly string[]
  readonly properties: ReadonlyMap<string, Value>
}

export interface PeerError {
  readonly condition: string
  readonly description?: string | undefined
  /** Texts only. */
  readonly info?: Readonly<Record<string, string>> | undefined
}

export interface Detach {
  readonly handle: number
  readonly closed: boolean
  readonly error: PeerError | undefined
}

/** [AMQP10 §3.4, §4.5.8] */
export type DeliveryState =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'released' }
  | { readonly kind: 'rejected'; readonly error: PeerError | undefined }
  | {
      readonly kind: 'modified'
      readonly deliveryFailed: boolean
      readonly undeliverableHere: boolean
      readonly annotations: ReadonlyMap<string, Value> | undefined
    }
  | { readonly kind: 'received'; readonly sectionNumber: number; readonly sectionOffset: bigint }
  | { readonly kind: 'declared'; readonly transactionId: Uint8Array }
  | { readonly kind: 'transactional'; readonly transactionId: Uint8Array; readonly outcome: DeliveryState | undefined }

export const ACCEPTED: DeliveryState = { kind: 'accepted' }
export const RELEASED: DeliveryState = { kind: 'released' }

/** [AMQP10 §5.3.3.2] */
export interface SaslInit {
  readonly mechanism: string
  readonly initialResponse: Uint8Array | undefined
  readonly hostname: string | undefined
}
