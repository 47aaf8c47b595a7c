/** The frames of a login: from those of the client to who it is. Without SASL a client is whoever needs no proof. [AMQP10 §5.3] */
import type { Principal, SaslLogin, Transport } from '@ternmq/core'
import { decodeSaslInit, decodeSaslResponse, performativeCode } from './codec/decode-control.ts'
import { encodeSaslChallenge, encodeSaslMechanisms, encodeSaslOutcome, PROTOCOL_HEADER_SASL } from './codec/encode-control.ts'
import { AmqpFault } from './codec/faults.ts'
import { SaslServer, type SaslStep } from './sasl.ts'

/** Type of frames that belong to a login. */
export const SASL_FRAME = 1

const SASL_INIT = 0x41
const SASL_RESPONSE = 0x43
const CODE_OK = 0

/** How a login stands after a frame of the client. */
export type LoginProgress =
  | { readonly kind: 'more' }
  | { readonly kind: 'done'; readonly principal: Principal }
  | { readonly kind: 'refused'; readonly text: string }

export class SaslFrames {
  readonly #transport: Transport
  readonly #server: SaslServer

  /** Says which mechanisms there are. */
  constructor(login: SaslLogin, transport: Transport) {
    this.#transport = transport
    this.#server = new SaslServer(login, transport.peer)
    transport.write(PROTOCOL_HEADER_SASL)
    transport.write(encodeSaslMechanisms(this.#server.mechanisms))
  }

  take(type: number, bytes: Uint8Array, start: number, end: number): LoginProgress | Promise<LoginProgress> {
    if (type !== SASL_FRAME) throw new AmqpFault('connection', 'amqp:connection:framing-error', 'the login is made of SASL frames only')
    const step = this.#stepOf(performativeCode(bytes, start, end), bytes, start, end)
    return step instanceof Promise ? this.#answerLater(step) : this.#answer(step)
  }

  async #answerLater(step: Promise<SaslStep>): Promise<LoginProgress> {
    return this.#answer(await step)
  }

  #stepOf(code: number, bytes: Uint8Array, start: number, end: number): SaslStep | Promise<SaslStep> {
    if (code === SASL_INIT) return this.#server.begin(decodeSaslInit(bytes, start, end))
    if (code === SASL_RESPONSE) return this.#server.respond(decodeSaslResponse(bytes, start, end))
    throw new AmqpFault('connection', 'amqp:connection:framing-error', 'a client sends sasl-init and sasl-response only')
  }

  #answer(step: SaslStep): LoginProgress {
    switch (step.kind) {
      case 'challenge':
        this.#transport.write(encodeSaslChallenge(step.data))
        return { kind: 'more' }
      case 'accepted':
        this.#transport.write(encodeSaslOutcome(CODE_OK, step.data))
        return { kind: 'done', principal: step.principal }
      case 'refused':
        this.#transport.write(encodeSaslOutcome(step.code))
        return { kind: 'refused', text: step.text }
    }
  }
}
