import type { LoginRequest, LoginStep, PeerInfo, TlsPeer } from '@ternmq/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Authenticator } from './authenticator.ts'
import type { AuthenticatorOptions, ListenerAccess } from './authenticator.ts'
import { LoginGuard } from './login-guard.ts'
import { ScramClient } from './scram-client.ts'
import { MemoryUserStore, makeUser } from './users.ts'
import type { UserStore } from './users.ts'

const CHEAP = { ln: 10, r: 8, p: 1 }
const clock = { monoMs: (): number => 0 }
const bytes = (text: string): Buffer => Buffer.from(text)

const newUser = (name: string, password: string, scram = true): ReturnType<typeof makeUser> =>
  makeUser({ name, password: bytes(password), scram, cost: CHEAP, scramIterations: 4_096, nowMs: 1 })
const ann = await newUser('ann', 'pencil')
const annAfterwards = await newUser('ann', 'crayon')
const plainOnly = await newUser('plain', 'pencil', false)
const certificateOnly = await makeUser({ name: 'dev7', scram: false, nowMs: 1 })

const OPEN: ListenerAccess = { anonymous: true }
const CLOSED: ListenerAccess = { anonymous: false }

function setUp(
  access: ListenerAccess = CLOSED,
  options: Partial<AuthenticatorOptions> = {},
): { users: UserStore; login: Authenticator } {
  const users = options.users ?? new MemoryUserStore([ann, plainOnly, certificateOnly])
  return { users, login: new Authenticator({ users, clock, listeners: { mqtt: access }, cost: CHEAP, ...options }) }
}

function peer(tls?: Partial<TlsPeer>, address = '10.0.0.1'): PeerInfo {
  return {
    listener: 'mqtt',
    address,
    port: 5_000,
    ...(tls === undefined ? {} : { tls: { version: 'TLSv1.3', altNames: [], ...tls } }),
  }
}

function request(fields: Partial<LoginRequest> = {}): LoginRequest {
  return {
    peer: peer(),
    clientId: 'c1',
    mechanism: 'plain',
    username: undefined,
    password: undefined,
    data: undefined,
    ...fields,
  }
}

const asAnn = (password: string): LoginRequest => request({ username: 'ann', password: bytes(password) })

const acceptedAs = (name: string): unknown => ({
  kind: 'accepted',
  principal: { name, anonymous: false },
  data: undefined,
})
const ANONYMOUS = { kind: 'accepted', principal: { name: 'anonymous', anonymous: true }, data: undefined }

function isStep(step: LoginStep | Promise<LoginStep>): step is LoginStep {
  return !(step instanceof Promise)
}

describe('Authenticator with names and passwords', () => {
  it('accepts the right password', async () => {
    expect(await setUp().login.begin(asAnn('pencil'))).toEqual(acceptedAs('ann'))
  })

  it('gives a wrong password and an unknown user the same words and the same work', async () => {
    const { login } = setUp()
    const wrong = await login.begin(asAnn('pencils'))
    const ranForWrong = login.counters.ran
    const unknown = await login.begin(request({ username: 'eve', password: bytes('pencils') }))
    expect(wrong).toEqual({
      kind: 'refused',
      refusal: 'bad-credentials',
      text: 'user "ann": unknown, or the password is wrong',
    })
    expect(unknown).toEqual({ ...wrong, text: 'user "eve": unknown, or the password is wrong' })
    expect([ranForWrong, login.counters.ran]).toEqual([1, 2])
    const noPassword = await login.begin(request({ username: 'dev7', password: bytes('pencils') }))
    expect(noPassword).toEqual({ ...wrong, text: 'user "dev7": unknown, or the password is wrong' })
    expect(login.counters.ran).toBe(3)
  })

  it('does not take a name for another that looks the same', async () => {
    const { login } = setUp()
    for (const username of ['ANN', 'ann ', 'a\u00adnn', 'ann\0']) {
      expect(await login.begin(request({ username, password: bytes('pencil') }))).toMatchObject({
        refusal: 'bad-credentials',
      })
    }
  })

  it('refuses what nobody can have as name or password without hashing', () => {
    const { login } = setUp()
    const hostile = [
      request({ username: '', password: bytes('x') }),
      request({ username: 'ann' }),
      request({ password: bytes('x') }),
      request({ username: 'ann', password: new Uint8Array(0) }),
      request({ username: 'ann', password: Buffer.alloc(65_535, 1) }),
      request({ username: 'x'.repeat(65_535), password: bytes('x') }),
      request({ username: '\ud800', password: bytes('x') }),
    ]
    for (const each of hostile) expect(login.begin(each)).toMatchObject({ kind: 'refused', refusal: 'bad-credentials' })
    expect(login.counters.ran).toBe(0)
    expect(login.counters.refused['bad-credentials']).toBe(hostile.length)
  })

  it('says that there are no users while there are none', () => {
    const { login } = setUp(CLOSED, { users: new MemoryUserStore() })
    const nobody = { kind: 'refused', refusal: 'bad-credentials', text: 'there are no users yet' }
    expect(login.begin(asAnn('pencil'))).toEqual(nobody)
    expect(login.begin(request({ mechanism: 'SCRAM-SHA-256', data: bytes('n,,n=ann,r=x') }))).toEqual(nobody)
  })

  it('remembers a right login and answers the next one at once', async () => {
    const { login } = setUp()
    await login.begin(asAnn('pencil'))
    expect(login.begin(asAnn('pencil'))).toEqual(acceptedAs('ann'))
    expect(login.counters).toMatchObject({ ran: 1, remembered: 1, accepted: 2 })
  })

  it('does not remember a wrong one', async () => {
    const { login } = setUp()
    await login.begin(asAnn('wrong'))
    expect(await login.begin(asAnn('wrong'))).toMatchObject({ refusal: 'bad-credentials' })
    expect(login.counters).toMatchObject({ ran: 2, remembered: 0 })
  })

  it('forgets a remembered login when the password changes or the user goes', async () => {
    const { users, login } = setUp()
    await login.begin(asAnn('pencil'))
    await users.put(annAfterwards)
    expect(await login.begin(asAnn('pencil'))).toMatchObject({ refusal: 'bad-credentials' })
    expect(await login.begin(asAnn('crayon'))).toEqual(acceptedAs('ann'))
    await users.remove('ann')
    expect(await login.begin(asAnn('crayon'))).toMatchObject({ refusal: 'bad-credentials' })
  })

  it('says of who has come in that the user is gone, also when another one has the name, and not after a change', async () => {
    const { users, login } = setUp()
    const { principal } = (await login.begin(asAnn('pencil'))) as LoginStep & { kind: 'accepted' }
    const seen = [principal.isGone]
    await users.put({ ...annAfterwards, groups: ['ops'] })
    seen.push(principal.isGone)
    await users.remove('ann')
    seen.push(principal.isGone)
    await users.put({ ...ann, createdAtMs: 2 })
    seen.push(principal.isGone)
    expect(seen).toEqual([false, false, true, true])
  })

  it('refuses a login whose user was removed while the hash ran', async () => {
    const { users, login } = setUp()
    const step = login.begin(asAnn('pencil'))
    await users.remove('ann')
    expect(await step).toMatchObject({ refusal: 'bad-credentials' })
  })

  it('hashes once for many equal logins at the same moment', async () => {
    const { login } = setUp()
    const steps = await Promise.all(Array.from({ length: 1_000 }, async () => login.begin(asAnn('pencil'))))
    expect(steps).toEqual(Array.from({ length: 1_000 }, () => acceptedAs('ann')))
    expect(login.counters).toMatchObject({ ran: 1, shared: 999, accepted: 1_000 })
  })

  it('refuses as busy beyond the waiting line, and works on', async () => {
    const { login } = setUp(CLOSED, { hashesWaitingMax: 2 })
    const steps = await Promise.all(
      Array.from({ length: 10 }, async (_, index) => login.begin(asAnn(`guess ${index}`))),
    )
    const busy = steps.filter((step) => step.kind === 'refused' && step.refusal === 'busy')
    expect(busy.length).toBe(7)
    expect(busy[0]).toMatchObject({ text: 'too many logins at once: try again in a few seconds' })
    expect(login.counters.refused).toMatchObject({ busy: 7, 'bad-credentials': 3 })
    expect(await login.begin(asAnn('pencil'))).toEqual(acceptedAs('ann'))
  })

  it('lets another address in during a flood', async () => {
    const { login } = setUp(CLOSED, { hashesWaitingMax: 4 })
    const flood = Array.from({ length: 50 }, async (_, index) => login.begin(asAnn(`guess ${index}`)))
    const other = login.begin({ ...asAnn('pencil'), peer: peer(undefined, '10.0.0.2') })
    expect(await other).toEqual(acceptedAs('ann'))
    await Promise.all(flood)
  })

  it('keeps the password that it was given, even when the caller reuses the memory', async () => {
    const { login } = setUp()
    const memory = bytes('pencil')
    const step = login.begin(request({ username: 'ann', password: memory }))
    memory.fill(0)
    expect(await step).toEqual(acceptedAs('ann'))
  })
})

describe('Authenticator without credentials', () => {
  it('lets anonymous clients in where the listener allows it, at once', () => {
    expect(setUp(OPEN).login.begin(request())).toEqual(ANONYMOUS)
    expect(setUp(OPEN).login.begin(request({ mechanism: 'ANONYMOUS' }))).toEqual(ANONYMOUS)
  })

  it('refuses them elsewhere and says what to do', () => {
    expect(setUp().login.begin(request())).toEqual({
      kind: 'refused',
      refusal: 'bad-credentials',
      text: 'listener mqtt does not allow anonymous clients: give a user name and password',
    })
  })

  it('does not treat a listener that it was not told about as open', () => {
    for (const listener of ['other', 'constructor', '__proto__']) {
      expect(setUp(OPEN).login.begin(request({ peer: { ...peer(), listener } }))).toMatchObject({
        refusal: 'bad-credentials',
      })
    }
  })

  it('refuses wrong credentials even where anonymous clients are allowed', async () => {
    expect(await setUp(OPEN).login.begin(asAnn('wrong'))).toMatchObject({ refusal: 'bad-credentials' })
  })

  it('refuses a mechanism that is not offered', () => {
    expect(setUp(OPEN).login.begin(request({ mechanism: 'GSSAPI\0' }))).toEqual({
      kind: 'refused',
      refusal: 'bad-mechanism',
      text: 'mechanism "GSSAPI\\u0000" is not offered; PLAIN, EXTERNAL, ANONYMOUS and SCRAM-SHA-256 are',
    })
  })
})

describe('Authenticator with client certificates', () => {
  const mapped: ListenerAccess = { anonymous: true, certificate: { field: 'cn', mustBeUser: true } }

  it('takes the identity from the certificate, whatever name and password say', () => {
    const { login } = setUp(mapped)
    const fields = { peer: peer({ commonName: 'dev7' }), username: 'ann', password: bytes('telemetry') }
    expect(login.begin(request(fields))).toEqual(acceptedAs('dev7'))
    expect(login.begin(request({ ...fields, mechanism: 'external' }))).toEqual(acceptedAs('dev7'))
  })

  it('refuses a name that is no user when it must be one', () => {
    const stranger = request({ peer: peer({ commonName: 'stranger' }) })
    expect(setUp(mapped).login.begin(stranger)).toEqual({
      kind: 'refused',
      refusal: 'not-authorized',
      text: '"stranger", the name in the client certificate (cn), is not a user here',
    })
    const anyName: ListenerAccess = { anonymous: false, certificate: { field: 'cn', mustBeUser: false } }
    expect(setUp(anyName).login.begin(stranger)).toEqual(acceptedAs('stranger'))
  })

  it('does not fall back to anonymous when the certificate names nobody', () => {
    const { login } = setUp(mapped)
    expect(login.begin(request({ peer: peer({ altNames: ['DNS:dev7'] }) }))).toMatchObject({
      refusal: 'bad-credentials',
    })
    expect(login.begin(request({ peer: peer({ commonName: 'dev7\0.evil' }) }))).toMatchObject({
      refusal: 'bad-credentials',
    })
  })

  it('asks for other credentials when no certificate was shown', async () => {
    const { login } = setUp(mapped)
    expect(login.begin(request({ peer: peer({}) }))).toEqual(ANONYMOUS)
    expect(await login.begin({ ...asAnn('pencil'), peer: peer({}) })).toEqual(acceptedAs('ann'))
    expect(login.begin(request({ mechanism: 'external' }))).toMatchObject({ refusal: 'bad-credentials' })
  })

  it('does not look at certificates on a listener that maps none', () => {
    const { login } = setUp(CLOSED)
    const shown = peer({ commonName: 'dev7' })
    expect(login.begin(request({ peer: shown }))).toMatchObject({ refusal: 'bad-credentials' })
    expect(login.begin(request({ peer: shown, mechanism: 'external' }))).toMatchObject({ refusal: 'bad-mechanism' })
  })
})

describe('Authenticator with SCRAM', () => {
  const scram = (data: Uint8Array | undefined): LoginRequest => request({ mechanism: 'SCRAM-SHA-256', data })

  /** Runs the exchange; `meanwhile` between its two halves. */
  async function exchange(
    login: Authenticator,
    name: string,
    password: string,
    meanwhile?: () => Promise<unknown>,
  ): Promise<LoginStep> {
    const client = new ScramClient({ username: name, password })
    const first = await login.begin(scram(client.first()))
    if (first.kind !== 'challenge') return first
    await meanwhile?.()
    const last = await first.exchange.respond(await client.final(first.data))
    if (last.kind === 'accepted') client.verify(last.data ?? new Uint8Array(0))
    return last
  }

  it('accepts the right password and proves the server', async () => {
    const { login } = setUp()
    expect(await exchange(login, 'ann', 'pencil')).toMatchObject({
      kind: 'accepted',
      principal: { name: 'ann', anonymous: false },
    })
    expect(login.counters).toMatchObject({ accepted: 1, ran: 0 })
  })

  it('gives a wrong password, an unknown user and one without SCRAM the same words', async () => {
    const { login } = setUp()
    for (const name of ['ann', 'eve', 'plain', 'dev7']) {
      expect(await exchange(login, name, 'wrong')).toEqual({
        kind: 'refused',
        refusal: 'bad-credentials',
        text: `user "${name}": unknown, or the password is wrong`,
      })
    }
    expect(login.counters.refused['bad-credentials']).toBe(4)
  })

  it('answers for an unknown user as for a known one, the same at every try', async () => {
    const { login } = setUp()
    const answerFor = async (name: string): Promise<string> => {
      const step = await login.begin(scram(bytes(`n,,n=${name},r=abc`)))
      return step.kind === 'challenge' ? Buffer.from(step.data).toString() : step.kind
    }
    const shape = /^r=abc[A-Za-z0-9+/]{24},(s=[A-Za-z0-9+/]{22}==,i=\d+)$/
    const parts = await Promise.all(
      ['ann', 'eve', 'eve', 'plain'].map(async (name) => shape.exec(await answerFor(name))?.[1]),
    )
    expect(parts.every((part) => part !== undefined)).toBe(true)
    expect(parts[1]).toBe(parts[2])
    expect(parts[1]).not.toBe(parts[3])
  })

  it('asks for the first message when the client waits for that', async () => {
    const client = new ScramClient({ username: 'ann', password: 'pencil' })
    const { login } = setUp()
    const asked = await login.begin(scram(undefined))
    if (asked.kind !== 'challenge') throw new Error(asked.kind)
    expect(asked.data.length).toBe(0)
    const first = await asked.exchange.respond(client.first())
    if (first.kind !== 'challenge') throw new Error(first.kind)
    expect(await first.exchange.respond(await client.final(first.data))).toMatchObject({ kind: 'accepted' })
  })

  it('refuses an exchange during which the password changed or the user went', async () => {
    const changed = setUp()
    expect(await exchange(changed.login, 'ann', 'pencil', () => changed.users.put(annAfterwards))).toMatchObject({
      kind: 'refused',
    })
    const removed = setUp()
    expect(await exchange(removed.login, 'ann', 'pencil', () => removed.users.remove('ann'))).toMatchObject({
      kind: 'refused',
    })
  })

  it('refuses channel binding with the reason', () => {
    expect(setUp().login.begin(scram(bytes('p=tls-exporter,,n=ann,r=abc')))).toMatchObject({
      kind: 'refused',
      text: expect.stringContaining('channel binding') as string,
    })
  })

  it('answers any bytes with a step', () => {
    const { login } = setUp()
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ maxLength: 40 }), (first, final) => {
        const refusal = login.begin(scram(first))
        expect(isStep(refusal) && refusal.kind).toBe('refused')
        const started = login.begin(scram(bytes('n,,n=ann,r=abc')))
        if (!isStep(started) || started.kind !== 'challenge') throw new Error('no challenge')
        const last = started.exchange.respond(final)
        expect(isStep(last) && last.kind).toBe('refused')
      }),
    )
  })
})

describe('Authenticator.mechanisms', () => {
  const mapped: ListenerAccess = { anonymous: false, certificate: { field: 'cn', mustBeUser: true } }

  it('always offers name and password', () => {
    expect(setUp(CLOSED).login.mechanisms(peer())).toEqual(['SCRAM-SHA-256', 'PLAIN'])
  })

  it('offers ANONYMOUS last where anybody may come in', () => {
    expect(setUp(OPEN).login.mechanisms(peer())).toEqual(['SCRAM-SHA-256', 'PLAIN', 'ANONYMOUS'])
  })

  it('offers EXTERNAL first to who has shown a certificate where it says who that is', () => {
    const shown = peer({ commonName: 'dev7' })
    expect(setUp(mapped).login.mechanisms(shown)).toEqual(['EXTERNAL', 'SCRAM-SHA-256', 'PLAIN'])
    expect(setUp(mapped).login.mechanisms(peer({}))).toEqual(['SCRAM-SHA-256', 'PLAIN'])
    expect(setUp(CLOSED).login.mechanisms(shown)).toEqual(['SCRAM-SHA-256', 'PLAIN'])
  })
})

describe('Authenticator with a guard', () => {
  const time = { nowMs: 0 }
  const guarded = (attempts = 3): { login: Authenticator; guard: LoginGuard } => {
    const settings = { attempts, windowMs: 60_000, waitMs: 9_499.5, waitMaxMs: 60_000 }
    const guard = new LoginGuard({ clock: { monoMs: () => time.nowMs }, settings })
    return { guard, login: setUp(OPEN, { guard, clock: { monoMs: () => time.nowMs } }).login }
  }
  const LOCKED = {
    kind: 'refused',
    refusal: 'locked-out',
    text: 'too many failed logins: none is tried now; try again in 10 s',
    retryAfterMs: 9_500,
  }
  async function failThrice(login: Authenticator, username = 'ann'): Promise<void> {
    for (const guess of ['one', 'two', 'three']) {
      expect(await login.begin(request({ username, password: bytes(guess) }))).toMatchObject({
        refusal: 'bad-credentials',
      })
    }
  }

  for (const username of ['ann', 'nobody']) {
    it(`tries no login of ${username} for a while after too many failures, by whatever mechanism, and hashes nothing`, async () => {
      const { login } = guarded()
      await failThrice(login, username)
      expect(login.begin(request({ username, password: bytes('pencil') }))).toEqual(LOCKED)
      expect(login.begin(request({ mechanism: 'SCRAM-SHA-256', data: bytes(`n,,n=${username},r=x`) }))).toEqual(LOCKED)
      expect(login.counters).toMatchObject({ ran: 3, refused: { 'locked-out': 2 } })
    })
  }

  it('takes the right password again when the wait is over', async () => {
    const { login } = guarded()
    await failThrice(login)
    time.nowMs += 9_500
    expect(await login.begin(asAnn('pencil'))).toEqual(acceptedAs('ann'))
    expect(await login.begin(asAnn('wrong'))).toMatchObject({ refusal: 'bad-credentials' })
  })

  it('lets the user in from elsewhere meanwhile, and anonymous clients from there', async () => {
    const { login } = guarded()
    await failThrice(login)
    expect(await login.begin({ ...asAnn('pencil'), peer: peer(undefined, '10.0.0.2') })).toEqual(acceptedAs('ann'))
    expect(login.begin(request())).toEqual(ANONYMOUS)
  })

  it('hashes no more wrong passwords at once than may fail', async () => {
    const { login } = guarded()
    const steps = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => login.begin(asAnn(`guess ${index}`))),
    )
    const told = steps.map((step) => (step.kind === 'refused' ? step.refusal : step.kind))
    expect(told.filter((refusal) => refusal === 'bad-credentials')).toHaveLength(3)
    expect(told.filter((refusal) => refusal === 'busy')).toHaveLength(17)
    expect(login.counters.ran).toBe(3)
  })

  it('counts a name that nobody can have for its address', async () => {
    const { login } = guarded()
    for (let index = 0; index < 30; index++) await login.begin(request({ username: '', password: bytes('x') }))
    expect(login.begin(asAnn('pencil'))).toEqual(LOCKED)
  })

  it('counts SCRAM exchanges that fail, and tries no more of those that had begun', async () => {
    const { login } = guarded()
    const finals = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const client = new ScramClient({ username: 'ann', password: 'wrong' })
        const step = await login.begin(request({ mechanism: 'SCRAM-SHA-256', data: client.first() }))
        if (step.kind !== 'challenge') throw new Error(`a challenge was expected, not ${step.kind}`)
        return { exchange: step.exchange, data: await client.final(step.data) }
      }),
    )
    const told: string[] = []
    for (const { exchange, data } of finals) {
      const step = await exchange.respond(data)
      told.push(step.kind === 'refused' ? step.refusal : step.kind)
    }
    expect(told).toEqual(['bad-credentials', 'bad-credentials', 'bad-credentials', 'locked-out', 'locked-out'])
  })
})
