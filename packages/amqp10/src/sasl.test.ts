import type { LoginRequest, LoginStep, PeerInfo, SaslLogin } from '@ternmq/core'
import { describe, expect, it } from 'vitest'

import { SaslServer, type SaslStep } from './sasl.ts'

const peer: PeerInfo = { listener: 'amqp', address: '10.0.0.1', port: 5_000 }
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const ANN = { name: 'ann', anonymous: false }
const ACCEPTED: LoginStep = { kind: 'accepted', principal: ANN, data: undefined }
const ALL = ['EXTERNAL', 'SCRAM-SHA-256', 'PLAIN', 'ANONYMOUS']

/** Says `answers` one after another, and notes what it was asked. */
function login(
  answers: readonly LoginStep[] = [ACCEPTED],
  mechanisms = ALL,
): SaslLogin & { readonly asked: LoginRequest[] } {
  const asked: LoginRequest[] = []
  const left = [...answers]
  return {
    asked,
    mechanisms: () => mechanisms,
    begin: (request) => {
      asked.push(request)
      return left.shift() as LoginStep
    },
  }
}

function begin(to: SaslLogin, mechanism: string, initialResponse?: string): SaslStep | Promise<SaslStep> {
  const init = {
    mechanism,
    initialResponse: initialResponse === undefined ? undefined : bytes(initialResponse),
    hostname: undefined,
  }
  return new SaslServer(to, peer).begin(init)
}

const refusedWith = (code: number, text: string): unknown => ({
  kind: 'refused',
  code,
  text: expect.stringContaining(text) as unknown,
})

describe('SaslServer', () => {
  it('announces what the login offers to this peer', () => {
    expect(new SaslServer(login([], ['PLAIN']), peer).mechanisms).toEqual(['PLAIN'])
  })

  it('refuses a mechanism that was not announced, without a login [AMQP10 §5.3.3.2]', () => {
    for (const mechanism of ['GSSAPI', 'plain', 'PLAIN ', '', 'ANONYMOUS']) {
      const asked = login([], ['PLAIN'])
      expect(begin(asked, mechanism, '\0ann\0x')).toEqual(
        refusedWith(1, `${JSON.stringify(mechanism)} is not offered; PLAIN are`),
      )
      expect(asked.asked).toEqual([])
    }
  })

  it('answers at once where the login does, and later where it has to compute', async () => {
    expect(begin(login(), 'ANONYMOUS')).toEqual({ kind: 'accepted', principal: ANN, data: undefined })
    const slow: SaslLogin = { mechanisms: () => ALL, begin: async () => ACCEPTED }
    const step = begin(slow, 'PLAIN', '\0ann\0pencil')
    expect(step).toBeInstanceOf(Promise)
    expect(await step).toMatchObject({ kind: 'accepted', principal: ANN })
  })

  it('logs in once', () => {
    const server = new SaslServer(login(), peer)
    expect(server.begin({ mechanism: 'ANONYMOUS', initialResponse: undefined, hostname: undefined })).toMatchObject({
      kind: 'accepted',
    })
    expect(server.begin({ mechanism: 'ANONYMOUS', initialResponse: undefined, hostname: undefined })).toEqual(
      refusedWith(1, 'twice'),
    )
    expect(server.respond(bytes('x'))).toEqual(refusedWith(1, 'without a challenge'))
  })

  it('says whether it is the credentials or us [AMQP10 §5.3.3.6]', () => {
    const codes = { 'bad-credentials': 1, 'bad-mechanism': 1, 'not-authorized': 1, busy: 4 } as const
    for (const [refusal, code] of Object.entries(codes) as [keyof typeof codes, number][]) {
      expect(begin(login([{ kind: 'refused', refusal, text: 'why' }]), 'PLAIN', '\0ann\0x')).toEqual({
        kind: 'refused',
        code,
        text: 'why',
      })
    }
  })
})

describe('PLAIN', () => {
  it('logs in with name and password, of which the password may be any bytes but NUL', () => {
    const asked = login()
    const initialResponse = Buffer.concat([bytes('\0ännchen\0'), Uint8Array.of(0xff, 0x01)])
    void new SaslServer(asked, peer).begin({ mechanism: 'PLAIN', initialResponse, hostname: 'broker' }) // answers at once
    expect(asked.asked).toMatchObject([
      { peer, clientId: '', mechanism: 'plain', username: 'ännchen', data: undefined },
    ])
    expect([...asked.asked[0]!.password!]).toEqual([0xff, 0x01])
  })

  it('asks a client that waits for it', () => {
    const asked = login()
    const server = new SaslServer(asked, peer)
    expect(server.begin({ mechanism: 'PLAIN', initialResponse: undefined, hostname: undefined })).toEqual({
      kind: 'challenge',
      data: new Uint8Array(0),
    })
    expect(server.respond(bytes('ann\0ann\0pencil'))).toMatchObject({ kind: 'accepted' })
    expect(asked.asked).toMatchObject([{ username: 'ann' }])
    expect(server.respond(bytes('ann\0ann\0pencil'))).toEqual(refusedWith(1, 'without a challenge'))
  })

  it.each(['', 'ann', '\0ann', 'ann\0pencil', '\0ann\0pencil\0', '\0a\0b\0c'])(
    'refuses %j, which is no PLAIN message',
    (message) => {
      const asked = login()
      expect(begin(asked, 'PLAIN', message)).toEqual(refusedWith(1, 'RFC 4616 §2'))
      expect(asked.asked).toEqual([])
    },
  )

  it('refuses names that are not UTF-8', () => {
    const initialResponse = Uint8Array.of(0, 0xc3, 0x28, 0, 0x61)
    expect(new SaslServer(login(), peer).begin({ mechanism: 'PLAIN', initialResponse, hostname: undefined })).toEqual(
      refusedWith(1, 'not UTF-8'),
    )
  })

  it('lets nobody act as another one', () => {
    expect(begin(login(), 'PLAIN', 'root\0ann\0pencil')).toEqual(
      refusedWith(1, 'user "ann" asks to act as another one'),
    )
  })
})

describe('EXTERNAL', () => {
  it.each([undefined, '', 'ann'])('accepts the certificate for whom it names, asked for %j', async (actsAs) => {
    const asked = login()
    expect(await begin(asked, 'EXTERNAL', actsAs)).toMatchObject({ kind: 'accepted', principal: ANN })
    expect(asked.asked).toMatchObject([{ mechanism: 'external', username: undefined, password: undefined }])
  })

  it('lets nobody act as another one', async () => {
    expect(await begin(login(), 'EXTERNAL', 'root')).toEqual(
      refusedWith(1, '"ann", the name in the client certificate'),
    )
  })

  it('passes on why a certificate is not taken', async () => {
    const refusal: LoginStep = { kind: 'refused', refusal: 'not-authorized', text: 'nobody here' }
    expect(await begin(login([refusal]), 'EXTERNAL', 'root')).toEqual({ kind: 'refused', code: 1, text: 'nobody here' })
  })
})

describe('ANONYMOUS', () => {
  it.each([undefined, '', 'somebody@example', '\0anonymous'])('does not look at the trace %j', (trace) => {
    const asked = login()
    expect(begin(asked, 'ANONYMOUS', trace)).toMatchObject({ kind: 'accepted' })
    expect(asked.asked).toMatchObject([{ mechanism: 'anonymous', username: undefined, data: undefined }])
  })
})

describe('SCRAM-SHA-256', () => {
  it('passes the messages of the exchange on, the last one with the outcome', () => {
    const heard: string[] = []
    const final: LoginStep = { kind: 'accepted', principal: ANN, data: bytes('v=proof') }
    const exchange = {
      respond: (data: Uint8Array): LoginStep => {
        heard.push(new TextDecoder().decode(data))
        return final
      },
    }
    const asked = login([{ kind: 'challenge', data: bytes('r=nonce'), exchange }])
    const server = new SaslServer(asked, peer)
    const init = { mechanism: 'SCRAM-SHA-256', initialResponse: bytes('n,,n=ann,r=x'), hostname: undefined }
    expect(server.begin(init)).toEqual({ kind: 'challenge', data: bytes('r=nonce') })
    expect(asked.asked).toMatchObject([{ mechanism: 'scram-sha-256', data: bytes('n,,n=ann,r=x') }])
    expect(server.respond(bytes('c=biws'))).toEqual({ kind: 'accepted', principal: ANN, data: bytes('v=proof') })
    expect(heard).toEqual(['c=biws'])
    expect(server.respond(bytes('c=biws'))).toEqual(refusedWith(1, 'without a challenge'))
  })
})
