/**
 * AUTH: the next step of a login, or a new login on a living connection. [MQTT5 §3.15] [MQTT5 §4.12]
 */
import type { LoginRefusal, LoginStep } from '@ternmq/core'
import { decodeControl } from '../codec/decode-control.ts'
import { encodeAuth } from '../codec/encode-control.ts'
import { ProtocolError } from '../codec/errors.ts'
import { ReasonCode } from '../codec/reason-codes.ts'
import type { AuthPacket } from '../codec/types.ts'
import type { MqttConnection } from '../connection.ts'
import { continueConnect } from './connect.ts'

const DISCONNECT = 14
const AUTH = 15

const NO_DATA = new Uint8Array(0)

/** What a client may say between CONNECT and CONNACK. [MQTT5-3.1.2-30] */
export function handleLoginPacket(client: MqttConnection, type: number, bytes: Uint8Array): void {
  const packet = type === AUTH || type === DISCONNECT ? decodeControl(bytes, client.version) : undefined
  if (packet?.type === 'auth') {
    handleAuth(client, packet)
  } else if (packet?.type === 'disconnect') {
    client.leave('client disconnected before it was let in')
  } else {
    const detail = 'only AUTH and DISCONNECT may come before CONNECT is answered'
    throw new ProtocolError(ReasonCode.protocolError, 'MQTT5-3.1.2-30', detail)
  }
}

export function handleAuth(client: MqttConnection, packet: AuthPacket): void {
  checkMethod(client, packet)
  if (!client.isConnected) return answerConnect(client, packet)
  if (packet.reasonCode === ReasonCode.reAuthenticate) return reauthenticate(client, packet)
  const { exchange } = client
  if (packet.reasonCode !== ReasonCode.continueAuthentication || exchange === undefined) {
    throw new ProtocolError(ReasonCode.protocolError, 'MQTT5-4.12.0-3', 'AUTH without an authentication under way')
  }
  client.exchange = undefined
  takeLater(client, exchange.respond(packet.authData ?? NO_DATA))
}

/** The method is chosen in CONNECT and stays. [MQTT5-4.12.0-5] [MQTT5-4.12.1-1] */
function checkMethod(client: MqttConnection, packet: AuthPacket): void {
  if (client.authMethod === undefined) {
    throw new ProtocolError(ReasonCode.protocolError, 'MQTT5-4.12.0-7', 'AUTH on a connection without authentication method')
  }
  if (packet.authMethod !== client.authMethod) {
    throw new ProtocolError(ReasonCode.protocolError, 'MQTT5-4.12.0-5', 'AUTH names another authentication method than CONNECT')
  }
}

function answerConnect(client: MqttConnection, packet: AuthPacket): void {
  const pending = client.pending!
  const { exchange } = pending
  if (packet.reasonCode !== ReasonCode.continueAuthentication || exchange === undefined) {
    throw new ProtocolError(ReasonCode.protocolError, 'MQTT5-4.12.0-3', 'AUTH before CONNACK must continue the authentication')
  }
  pending.exchange = undefined
  continueConnect(client, exchange.respond(packet.authData ?? NO_DATA))
}

function reauthenticate(client: MqttConnection, packet: AuthPacket): void {
  client.exchange = undefined
  const { adapter, transport, clientId } = client
  const step = adapter.login.begin({
    peer: transport.peer,
    clientId,
    mechanism: packet.authMethod.toLowerCase(),
    username: undefined,
    password: undefined,
    data: packet.authData,
  })
  takeLater(client, step)
}

function takeLater(client: MqttConnection, step: LoginStep | Promise<LoginStep>): void {
  if (step instanceof Promise) client.waitFor(step.then((done) => takeStep(client, done)))
  else takeStep(client, step)
}

/** DISCONNECT has no code for bad credentials. [MQTT5-3.14.2-1] */
const REASON_CODE_OF_REAUTHENTICATION: Record<LoginRefusal, number> = {
  'bad-credentials': ReasonCode.notAuthorized,
  'bad-mechanism': ReasonCode.notAuthorized,
  'not-authorized': ReasonCode.notAuthorized,
  'locked-out': ReasonCode.connectionRateExceeded,
  busy: ReasonCode.serverBusy,
}

/** Another user cannot take over a session by authenticating again; a failure ends the connection. [MQTT5-4.12.1-2] */
function takeStep(client: MqttConnection, step: LoginStep): void {
  if (client.isClosed) return
  const authMethod = client.authMethod!
  if (step.kind === 'refused') {
    client.disconnect(REASON_CODE_OF_REAUTHENTICATION[step.refusal], step.text, 'MQTT5-4.12.1-2')
  } else if (step.kind === 'challenge') {
    client.exchange = step.exchange
    const fields = { reasonCode: ReasonCode.continueAuthentication, authMethod, authData: step.data }
    client.send(encodeAuth(fields, client.maxPacketBytes))
  } else if (step.principal.name !== client.session.principal.name) {
    client.disconnect(ReasonCode.notAuthorized, 'the user of a connection cannot change', 'MQTT5-4.12.1-2')
  } else {
    const fields = { reasonCode: ReasonCode.success, authMethod, authData: step.data }
    client.send(encodeAuth(fields, client.maxPacketBytes))
  }
}
