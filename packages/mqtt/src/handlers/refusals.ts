/** The core's refusals in MQTT 5's words; earlier versions get what they have for them from the codec. */
import type { LoginRefusal, Refusal } from '@ternmq/core'
import { ReasonCode } from '../codec/reason-codes.ts'

export const REASON_CODE_BY_REFUSAL: Record<Refusal, number> = {
  'not-authorized': ReasonCode.notAuthorized,
  'not-found': ReasonCode.unspecifiedError,
  'in-use': ReasonCode.clientIdentifierNotValid,
  'limit-reached': ReasonCode.quotaExceeded,
  'invalid-name': ReasonCode.topicNameInvalid,
  'invalid-body': ReasonCode.payloadFormatInvalid,
  mismatch: ReasonCode.implementationSpecificError,
}

/** In CONNACK. */
export const REASON_CODE_BY_LOGIN_REFUSAL: Record<LoginRefusal, number> = {
  'bad-credentials': ReasonCode.badUserNameOrPassword,
  'bad-mechanism': ReasonCode.badAuthenticationMethod,
  'not-authorized': ReasonCode.notAuthorized,
  'locked-out': ReasonCode.connectionRateExceeded,
  busy: ReasonCode.serverBusy,
}

/** A queue keeps every message until it is taken, and has no last one to keep beside. */
export function retainOnQueue(address: string): string {
  return `'${address}' is a queue, which has no retained message: send to it without RETAIN, or retain on a topic`
}
