/** CONNECT and STOMP → CONNECTED: which version, who is it, how often are there heart-beats. [STOMP12-Connecting-a, STOMP12-Protocol_Negotiation-b] */
import type { LoginStep, Principal } from '@ternmq/core'
import { encodeConnected } from '../codec/encode.ts'
import { HeaderId } from '../codec/header-ids.ts'
import type { FrameHeaders } from '../codec/headers.ts'
import { quote } from '../codec/problem.ts'
import { heartBeatMs, negotiate, parseHeartBeat, VERSIONS_SPOKEN } from '../codec/versions.ts'
import type { StompConnection } from '../connection.ts'
import { ownHeartBeatMs } from '../heart-beats.ts'
import { Refused } from '../refused.ts'

/** What CONNECT asked for, kept while the login is under way. */
interface Wishes {
  readonly clientId: string | undefined
  readonly sendsMs: number
  readonly wantsMs: number
  readonly receipt: string | undefined
}

export function handleConnect(client: StompConnection, headers: FrameHeaders): void {
  const version = negotiate(headers.get(HeaderId.acceptVersion))
  if (version === undefined) {
    const asked = quote(headers.get(HeaderId.acceptVersion)!)
    const text = `header accept-version is ${asked}, which has no version that is spoken here; they are ${VERSIONS_SPOKEN}`
    throw new Refused(headers, text, 'STOMP12-Protocol_Negotiation-c', [['version', VERSIONS_SPOKEN]])
  }
  client.version = version
  const wishes = wishesOf(client, headers)
  const login = headers.get(HeaderId.login)
  const passcode = headers.get(HeaderId.passcode)
  client.userName = login ?? ''
  client.clientId = wishes.clientId ?? `stomp-${client.adapter.makeId()}`
  client.hasOwnClientId = wishes.clientId !== undefined
  client.authenticate()
  const step = client.adapter.login.begin({
    peer: client.transport.peer,
    clientId: client.clientId,
    mechanism: 'plain',
    username: login,
    password: passcode === undefined ? undefined : Buffer.from(passcode),
    data: undefined,
  })
  if (step instanceof Promise) client.waitFor(step.then((done) => takeStep(client, done, wishes)))
  else takeStep(client, step, wishes)
}

function wishesOf(client: StompConnection, headers: FrameHeaders): Wishes {
  const heartBeat = parseHeartBeat(headers.get(HeaderId.heartBeat))
  if (heartBeat === undefined) {
    const text = `header heart-beat is ${quote(headers.get(HeaderId.heartBeat)!)} and not two numbers of milliseconds, such as 10000,10000`
    throw new Refused(headers, text, 'STOMP12-Heart-beating-a')
  }
  const clientId = headers.get(HeaderId.clientId)
  const { maxClientIdBytes } = client.adapter.settings
  if (clientId !== undefined && (clientId === '' || Buffer.byteLength(clientId) > maxClientIdBytes)) {
    const text = `header client-id has ${Buffer.byteLength(clientId)} bytes; it has 1 to stomp.maxClientIdBytes ${maxClientIdBytes}, or is left out`
    throw new Refused(headers, text)
  }
  // 1.0 knows no heart-beats, and a client without the header wants none. [STOMP12-Heart-beating-b]
  const { sendsMs, wantsMs } = client.version === 10 ? { sendsMs: 0, wantsMs: 0 } : heartBeat
  return { clientId, sendsMs, wantsMs, receipt: headers.get(HeaderId.receipt) }
}

function takeStep(client: StompConnection, step: LoginStep, wishes: Wishes): void {
  if (client.isClosed) return
  switch (step.kind) {
    case 'accepted':
      if (isInUse(client)) client.waitFor(acceptWhenFree(client, step.principal, wishes))
      else accept(client, step.principal, wishes)
      break
    case 'refused':
      client.refuse(`CONNECT refused, ${step.text}`, 'STOMP12-Connecting-b', wishes.receipt)
      break
    case 'challenge':
      throw new Error('a login with user and password has no steps')
  }
}

/** A client that comes back at once may come before the end of its former connection is known. */
const IN_USE_LOOKS = 10
const IN_USE_LOOK_MS = 100

function isInUse({ adapter, clientId }: StompConnection): boolean {
  return adapter.vhost.sessions.find(clientId)?.isConnected === true
}

async function acceptWhenFree(client: StompConnection, principal: Principal, wishes: Wishes): Promise<void> {
  const { clock } = client.adapter.vhost.env
  for (let looks = 0; looks < IN_USE_LOOKS && isInUse(client) && !client.isClosed; looks++) {
    await new Promise<void>((resolve) => void clock.after(IN_USE_LOOK_MS, resolve))
  }
  if (!client.isClosed) accept(client, principal, wishes)
}

function accept(client: StompConnection, principal: Principal, { sendsMs, wantsMs, receipt }: Wishes): void {
  const { adapter, clientId, version } = client
  const opened = adapter.vhost.sessions.open({
    clientId,
    principal,
    cleanStart: true,
    expiryMs: 0,
    creditMax: 0,
    will: undefined,
    owner: client,
    protocol: 'stomp',
    // A client id in use belongs to whoever has it. [JMS 3.1 §6.1.2]
    onConflict: 'refuse',
  })
  if (!opened.ok) return client.refuse(`CONNECT refused, ${opened.detail.text}`, 'STOMP12-Connecting-b', receipt)
  client.session = opened.value.session
  client.userName = principal.name
  client.producer = client.session.openProducer(client)
  client.idPrefix = `${adapter.makeId()}-`
  const ours = version === 10 ? 0 : ownHeartBeatMs(adapter.settings.heartBeatMs)
  const heartBeat = { sendsMs: ours, wantsMs: ours }
  const server = adapter.settings.serverName
  client.transport.write(encodeConnected({ version, session: clientId, server, heartBeat }))
  const theirs = { sendsMs, wantsMs }
  client.begin(heartBeatMs(heartBeat, theirs), heartBeatMs(theirs, heartBeat))
  adapter.report(client, 'connected', `STOMP 1.${version - 10}`, '')
}
