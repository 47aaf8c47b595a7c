import { describe, expect, test } from 'vitest'

import type { LoginRequest, LoginStep, SaslLogin } from '@ternmq/core'
import {
  AMQP,
  emptyFrame,
  frame,
  header,
  type Peer,
  plainInit,
  rawFrame,
  SASL,
  saslFrame,
  World,
} from '../../harness.ts'

const ALICE = { kind: 'accepted', principal: { name: 'alice', anonymous: false }, data: undefined } as const

/** Knows alice, whose password is 'secret'; what else is asked for is up to `begin`. */
function knowing(
  mechanisms: readonly string[] = ['SCRAM-SHA-256', 'PLAIN'],
  begin?: (request: LoginRequest) => LoginStep | Promise<LoginStep>,
): SaslLogin {
  return {
    mechanisms: () => mechanisms,
    begin:
      begin ??
      (({ username, password }) =>
        username === 'alice' && Buffer.from(password ?? []).toString() === 'secret'
          ? ALICE
          : { kind: 'refused', refusal: 'bad-credentials', text: 'no such user, or not this password' }),
  }
}

function dialled(login: SaslLogin = knowing()): { world: World; peer: Peer } {
  const world = new World({ login })
  return { world, peer: world.dial() }
}

/** A client in the SASL layer that has been told the mechanisms. */
function negotiating(login?: SaslLogin): { world: World; peer: Peer } {
  const scene = dialled(login)
  scene.peer.send(header(SASL))
  scene.peer.next('header')
  scene.peer.next('sasl-mechanisms')
  return scene
}

describe('the SASL layer', () => {
  test('[AMQP10-5.3-a, AMQP10-5.3.2-a] its header is answered with the same, and the mechanisms', () => {
    const { peer } = dialled()
    peer.send(header(SASL))
    expect(peer.next('header')).toMatchObject({ protocolId: SASL, version: '1.0.0' })
    expect(peer.next('sasl-mechanisms')).toMatchObject({ saslServerMechanisms: ['SCRAM-SHA-256', 'PLAIN'] })
    expect(peer.isClosed).toBe(false)
  })

  test('[AMQP10-5.3-a, AMQP10-2.2-d] of another version is answered with 1.0.0, and the end', () => {
    const { peer } = dialled()
    peer.send(header(SASL, 1, 1, 0))
    expect(peer.next('header')).toMatchObject({ version: '1.0.0' })
    expect(peer.isClosed).toBe(true)
  })

  test('[AMQP10-5.1-a, AMQP10-5.3.2-c] ends with the outcome, and headers are exchanged again', () => {
    const { peer } = negotiating()
    peer.send(plainInit('alice', 'secret'))
    expect(peer.next('sasl-outcome')).toMatchObject({ code: 0 })
    peer.exchangeHeaders()
    expect(peer.open()).toBeDefined()
  })

  test('of a user who is removed before open leads to no connection', () => {
    const principal = { name: 'alice', anonymous: false, isGone: false }
    const { world, peer } = negotiating(knowing(undefined, () => ({ kind: 'accepted', principal, data: undefined })))
    peer.send(plainInit('alice', 'secret'))
    expect(peer.next('sasl-outcome')).toMatchObject({ code: 0 })
    peer.exchangeHeaders()
    principal.isGone = true
    peer.send(frame('open', { containerId: 'c' }))
    expect(peer.next('open')).toBeDefined()
    expect(peer.closeCondition()).toBe('amqp:unauthorized-access')
    expect(world.vhost.sessions.count).toBe(0)
  })

  test('[AMQP10-2.4.2-a, AMQP10-5.1-a] may come with all the rest in one write', () => {
    const { world, peer } = dialled()
    const session = peer.session(0)
    const sender = session.newSender('queue://q')
    peer.send(
      header(SASL),
      plainInit('alice', 'secret'),
      header(),
      peer.openFrame(),
      session.beginFrame(),
      sender.attachFrame(),
      sender.transferFrame('x'),
    )
    const kinds = peer.received().map(({ kind }) => kind)
    expect(kinds.slice(0, 7)).toEqual([
      'header',
      'sasl-mechanisms',
      'sasl-outcome',
      'header',
      'open',
      'begin',
      'attach',
    ])
    expect(world.queue('q').waitingCount).toBe(1)
  })

  test('[AMQP10-5.1-a] is followed by the header of AMQP, and not by that of SASL again', () => {
    const { peer } = negotiating()
    peer.send(plainInit('alice', 'secret'))
    peer.next('sasl-outcome')
    peer.send(header(SASL))
    expect(peer.next('header')).toMatchObject({ protocolId: AMQP })
    expect(peer.isClosed).toBe(true)
  })

  test('[AMQP10-5.1-b, AMQP10-2.2-g] plain AMQP without it is refused to whoever needs a login', () => {
    const { peer } = dialled()
    peer.send(header(AMQP), peer.openFrame())
    const frames = peer.received()
    expect(peer.isClosed).toBe(true)
    const answered = frames[0]!['protocolId']
    if (answered === AMQP)
      expect(frames.at(-1)).toMatchObject({ kind: 'close', error: { condition: 'amqp:unauthorized-access' } })
    else expect(answered).toBe(SASL)
  })

  test('[AMQP10-5.3.2-e] nothing of AMQP is served before its end', () => {
    const { world, peer } = negotiating()
    peer.send(header(AMQP), peer.openFrame())
    expect(peer.isClosed).toBe(true)
    expect(peer.received().filter(({ kind }) => kind === 'open')).toEqual([])
    expect(world.adapter.connectionCount).toBe(0)
  })

  test('that nobody goes on with ends with the handshake time-out', () => {
    const { world, peer } = negotiating()
    world.advance(30_000)
    expect(peer.isClosed).toBe(true)
  })
})

describe('SASL frames', () => {
  test('[AMQP10-5.3.1-a] their channel and extended header are ignored', () => {
    const { peer } = negotiating()
    const init = plainInit('alice', 'secret')
    peer.send(rawFrame(init.subarray(8), { type: 1, channel: 999, extendedHeader: Buffer.alloc(8, 0xff) }))
    expect(peer.next('sasl-outcome')).toMatchObject({ code: 0 })
  })

  test('[AMQP10-5.3.1-a] of another type than 1 end the connection', () => {
    const { peer } = negotiating()
    peer.send(rawFrame(plainInit('alice', 'secret').subarray(8), { type: 0 }))
    expect(peer.isClosed).toBe(true)
    expect(peer.received().filter(({ kind }) => kind === 'sasl-outcome')).toEqual([])
  })

  test('[AMQP10-5.3.1-d] that are empty end the connection', () => {
    for (const type of [0, 1]) {
      const { peer } = negotiating()
      peer.send(emptyFrame(0, type))
      expect([type, peer.isClosed]).toEqual([type, true])
    }
  })

  test('[AMQP10-5.3.1-c] with anything else than a performative of SASL end the connection', () => {
    for (const bytes of [
      frame('open', { containerId: 'c' }, { type: 1 }),
      rawFrame(Buffer.from('deadbeef', 'hex'), { type: 1 }),
    ]) {
      const { peer } = negotiating()
      peer.send(bytes)
      expect(peer.isClosed).toBe(true)
    }
  })

  test('[AMQP10-5.3.1-c] with something behind the performative end the connection', () => {
    const { peer } = negotiating()
    peer.send(
      frame(
        'sasl-init',
        { mechanism: 'PLAIN', initialResponse: '\0alice\0secret' },
        { type: 1, payload: Buffer.alloc(3) },
      ),
    )
    expect(peer.isClosed).toBe(true)
  })

  test('[AMQP10-5.3.1-b] of the server have no more than 512 octets, whatever the mechanisms', () => {
    const many = Array.from({ length: 12 }, (_, index) => `MECHANISM-NUMBER-${index}`)
    const { peer } = dialled(knowing(many))
    peer.send(header(SASL))
    peer.next('header')
    expect(peer.next('sasl-mechanisms').size).toBeLessThanOrEqual(512)
  })

  test.each([400, 2_000])(
    '[AMQP10-5.3.1-b] of the client with an initial response of %i octets are read: tokens are long',
    (size) => {
      const { peer } = negotiating()
      peer.send(saslFrame('sasl-init', { mechanism: 'PLAIN', initialResponse: `\0alice\0${'x'.repeat(size)}` }))
      expect(peer.next('sasl-outcome')).toMatchObject({ code: 1 })
    },
  )

  test('[AMQP10-5.3.1-b] of the client with an initial response of 5,000 octets end the connection', () => {
    const { peer } = negotiating()
    peer.send(saslFrame('sasl-init', { mechanism: 'PLAIN', initialResponse: `\0alice\0${'x'.repeat(5_000)}` }))
    expect(peer.received()).toEqual([])
    expect(peer.isClosed).toBe(true)
  })

  test('[AMQP10-5.3.2-d] that a server sends end the connection', () => {
    for (const bytes of [
      saslFrame('sasl-mechanisms', { saslServerMechanisms: ['PLAIN'] }),
      saslFrame('sasl-challenge', { challenge: 'x' }),
      saslFrame('sasl-outcome', { code: 0 }),
    ]) {
      const { peer } = negotiating()
      peer.send(bytes)
      expect(peer.isClosed).toBe(true)
      expect(
        peer
          .received()
          .filter(({ kind }) => kind === 'sasl-outcome')
          .map(({ code }) => code),
      ).not.toContain(0)
    }
  })
})

describe('mechanisms', () => {
  test('[AMQP10-5.3.3.1-a, AMQP10-1.3.4-e] there is one at least', () => {
    const { peer } = dialled(knowing(['PLAIN']))
    peer.send(header(SASL))
    peer.next('header')
    expect(peer.next('sasl-mechanisms')['saslServerMechanisms']).toEqual(['PLAIN'])
  })

  test('[AMQP10-5.3.3.1-b] are in the order of the server', () => {
    const { peer } = dialled(knowing(['EXTERNAL', 'SCRAM-SHA-256', 'PLAIN', 'ANONYMOUS']))
    peer.send(header(SASL))
    peer.next('header')
    expect(peer.next('sasl-mechanisms')['saslServerMechanisms']).toEqual([
      'EXTERNAL',
      'SCRAM-SHA-256',
      'PLAIN',
      'ANONYMOUS',
    ])
  })

  test('[AMQP10-5.3.3.1-c] ANONYMOUS lets in whoever needs no login', () => {
    const peer = new World().dial()
    expect(peer.logIn('ANONYMOUS')).toMatchObject({ code: 0 })
    peer.exchangeHeaders()
    expect(peer.open()).toBeDefined()
  })

  test.each(['NOSUCH', 'plain', 'SCRAM-SHA-1', ''])(
    '[AMQP10-5.3.3.2-a] %s, which was not offered, is answered with outcome auth, and the end',
    (mechanism) => {
      const { peer } = negotiating()
      peer.send(saslFrame('sasl-init', { mechanism, initialResponse: '\0alice\0secret' }))
      expect(peer.next('sasl-outcome')).toMatchObject({ code: 1 })
      expect(peer.isClosed).toBe(true)
    },
  )

  test('[AMQP10-5.3.2-b] PLAIN without an initial response is asked for it', () => {
    const { peer } = negotiating()
    peer.send(saslFrame('sasl-init', { mechanism: 'PLAIN' }))
    expect(peer.next('sasl-challenge')).toBeDefined()
    peer.send(saslFrame('sasl-response', { response: '\0alice\0secret' }))
    expect(peer.next('sasl-outcome')).toMatchObject({ code: 0 })
  })

  test('[AMQP10-5.3.2-b] of several steps: challenges and responses as the mechanism says, and its last word with the outcome', () => {
    const login = knowing(['SCRAM-SHA-256'], ({ data }) => ({
      kind: 'challenge',
      data: Buffer.from(`got ${Buffer.from(data ?? []).toString()}`),
      exchange: {
        respond: (response) => ({ ...ALICE, data: Buffer.from(`done with ${Buffer.from(response).toString()}`) }),
      },
    }))
    const { peer } = negotiating(login)
    peer.send(saslFrame('sasl-init', { mechanism: 'SCRAM-SHA-256', initialResponse: 'first' }))
    expect((peer.next('sasl-challenge')['challenge'] as Buffer).toString()).toBe('got first')
    peer.send(saslFrame('sasl-response', { response: 'second' }))
    const outcome = peer.next('sasl-outcome')
    expect([outcome['code'], (outcome['additionalData'] as Buffer).toString()]).toEqual([0, 'done with second'])
  })

  test('[AMQP10-5.3.2-b] a response that nobody asked for fails', () => {
    const { peer } = negotiating()
    peer.send(saslFrame('sasl-response', { response: '\0alice\0secret' }))
    expect(peer.isClosed).toBe(true)
    expect(peer.received().filter(({ code }) => code === 0)).toEqual([])
  })

  test('[AMQP10-5.3.2-b] sasl-init twice fails', () => {
    const { peer } = negotiating()
    peer.send(saslFrame('sasl-init', { mechanism: 'PLAIN' }), plainInit('alice', 'secret'))
    expect(peer.isClosed).toBe(true)
    expect(peer.received().filter(({ code }) => code === 0)).toEqual([])
  })
})

describe('the outcome', () => {
  test.each([
    ['a wrong password', '\0alice\0wrong'],
    ['an unknown user', '\0bob\0secret'],
    ['no user', '\0\0'],
    ['no PLAIN message', 'alice'],
    ['another identity', 'bob\0alice\0secret'],
  ])(
    '[AMQP10-5.3.3.6-a, AMQP10-5.3.2-e, AMQP10-5.3.3.5-a] of %s is auth, without data, and the end',
    (_, initialResponse) => {
      const { peer } = negotiating()
      peer.send(saslFrame('sasl-init', { mechanism: 'PLAIN', initialResponse }), header(), peer.openFrame())
      const outcome = peer.next('sasl-outcome')
      expect([outcome['code'], outcome['additionalData']]).toEqual([1, undefined])
      expect(peer.received()).toEqual([])
      expect(peer.isClosed).toBe(true)
    },
  )

  test('[AMQP10-5.3.3.6-a] of a login that cannot be checked now is sys-temp', () => {
    const { peer } = negotiating(
      knowing(['PLAIN'], () => ({ kind: 'refused', refusal: 'busy', text: 'too many logins' })),
    )
    peer.send(plainInit('alice', 'secret'))
    expect(peer.next('sasl-outcome')).toMatchObject({ code: 4 })
  })

  test('[AMQP10-5.3.2-c] that takes its time: what comes meanwhile waits for it', async () => {
    let answer: (step: LoginStep) => void = () => {}
    const login = knowing(['PLAIN'], () => new Promise((resolve) => (answer = resolve)))
    const { peer, world } = negotiating(login)
    await peer.finish(plainInit('alice', 'secret'), header(), peer.openFrame())
    expect(peer.received()).toEqual([])
    answer(ALICE)
    await world.settle()
    expect(peer.received().map(({ kind }) => kind)).toEqual(['sasl-outcome', 'header', 'open'])
  })

  test('[AMQP10-5.3.2-e] decides who the client is', () => {
    const asked: string[] = []
    const world = new World({
      login: knowing(),
      authorizer: {
        generation: 0,
        mayUse: ({ principal }) => (asked.push(principal.name), { allowed: true, rule: '' }),
        mayMatch: ({ principal }) => (asked.push(principal.name), { allowed: true, rule: '' }),
      },
    })
    const peer = world.dial()
    peer.logIn('PLAIN', { initialResponse: '\0alice\0secret' })
    peer.exchangeHeaders()
    peer.open()
    peer.begin().sender('queue://q')
    expect(new Set(asked)).toEqual(new Set(['alice']))
  })
})
