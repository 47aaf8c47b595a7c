import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ScramClient } from './scram-client.ts'
import {
  deriveScramKeys,
  formatScramVerifier,
  makeScramVerifier,
  parseScramVerifier,
  sha256,
  toBase64,
} from './scram-verifier.ts'
import type { ScramVerifier } from './scram-verifier.ts'
import { ScramServer } from './scram.ts'
import type { ScramError } from './scram.ts'

/** The exchange of RFC 7677 §3. */
const RFC = {
  username: 'user',
  password: 'pencil',
  clientNonce: 'rOprNGfwEbeRWgbNEkqO',
  serverNonce: '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0',
  salt: Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64'),
  clientFirst: 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO',
  serverFirst: 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
  clientFinal:
    'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
  serverFinal: 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
}

const bytes = (text: string): Buffer => Buffer.from(text)
const text = (data: Uint8Array): string => Buffer.from(data).toString()

async function verifierFor(password: string, salt: Uint8Array = RFC.salt): Promise<ScramVerifier> {
  const { clientKey, serverKey } = await deriveScramKeys(password, salt, 4_096)
  return { iterations: 4_096, salt, storedKey: sha256(clientKey), serverKey }
}

const rfcVerifier = await verifierFor(RFC.password)

function rfcServer(isKnown = true): ScramServer {
  return new ScramServer({ lookup: () => ({ verifier: rfcVerifier, isKnown }), serverNonce: RFC.serverNonce })
}

function startedServer(clientFirst = RFC.clientFirst): ScramServer {
  const server = rfcServer()
  expect(server.start(bytes(clientFirst)).ok).toBe(true)
  return server
}

describe('ScramServer', () => {
  it('answers the exchange of RFC 7677 §3 byte by byte', () => {
    const server = rfcServer()
    const started = server.start(bytes(RFC.clientFirst))
    expect(started.ok && text(started.serverFirst)).toBe(RFC.serverFirst)
    const finished = server.finish(bytes(RFC.clientFinal))
    expect(finished).toEqual({ ok: true, serverFinal: bytes(RFC.serverFinal), username: 'user' })
  })

  it('gives every exchange a nonce of its own', () => {
    const lookup = (): { verifier: ScramVerifier; isKnown: boolean } => ({ verifier: rfcVerifier, isKnown: true })
    const answers = [1, 2].map(() => {
      const started = new ScramServer({ lookup }).start(bytes(RFC.clientFirst))
      return started.ok ? text(started.serverFirst) : ''
    })
    expect(answers[0]).toMatch(/^r=rOprNGfwEbeRWgbNEkqO[A-Za-z0-9+/]{24},s=/)
    expect(answers[0]).not.toBe(answers[1])
  })

  it('refuses a right proof for a name it does not know, in the words for a wrong proof', () => {
    const unknown = rfcServer(false)
    unknown.start(bytes(RFC.clientFirst))
    const wrong = startedServer()
    expect(unknown.finish(bytes(RFC.clientFinal))).toEqual(
      wrong.finish(bytes(RFC.clientFinal.replace('p=dHzb', 'p=dHzc'))),
    )
  })

  const START_REFUSALS: readonly (readonly [name: string, message: string | Uint8Array, error: ScramError])[] = [
    ['nothing', '', 'other-error'],
    ['no header', 'n=user,r=abc', 'other-error'],
    ['channel binding', 'p=tls-unique,,n=user,r=abc', 'channel-binding-not-supported'],
    ['channel binding of a server-end-point', 'p=tls-server-end-point,,n=user,r=abc', 'channel-binding-not-supported'],
    ['an unknown header flag', 'x,,n=user,r=abc', 'other-error'],
    ['a header flag in capitals', 'N,,n=user,r=abc', 'other-error'],
    ['another identity', 'n,a=admin,n=user,r=abc', 'other-error'],
    ['an empty other identity', 'n,a=,n=user,r=abc', 'other-error'],
    ['a mandatory extension', 'n,,m=ext,n=user,r=abc', 'extensions-not-supported'],
    ['no name', 'n,,r=abc', 'other-error'],
    ['an empty name', 'n,,n=,r=abc', 'invalid-username-encoding'],
    ['a name that is nothing after preparation', 'n,,n=\u00ad,r=abc', 'invalid-username-encoding'],
    ['a bad escape in the name', 'n,,n=a=b,r=abc', 'invalid-username-encoding'],
    ['an escape in small letters', 'n,,n=a=2c,r=abc', 'invalid-username-encoding'],
    ['a control character in the name', 'n,,n=a\u0007,r=abc', 'invalid-username-encoding'],
    ['no nonce', 'n,,n=user', 'other-error'],
    ['an empty nonce', 'n,,n=user,r=', 'other-error'],
    ['a nonce with a space', 'n,,n=user,r=a b', 'other-error'],
    ['a nonce beyond ASCII', 'n,,n=user,r=\u00e9', 'other-error'],
    ['a nonce beyond the limit', `n,,n=user,r=${'x'.repeat(257)}`, 'other-error'],
    ['an extension without a value', 'n,,n=user,r=abc,x=', 'other-error'],
    ['an extension without a name', 'n,,n=user,r=abc,hello', 'other-error'],
    ['NUL', 'n,,n=us\0er,r=abc', 'invalid-encoding'],
    ['invalid UTF-8', Uint8Array.of(0x6e, 0x2c, 0x2c, 0x6e, 0x3d, 0xff), 'invalid-encoding'],
    ['a megabyte', Buffer.alloc(1_000_000, 0x6e), 'other-error'],
  ]
  for (const [name, message, error] of START_REFUSALS) {
    it(`refuses a client-first message with ${name}`, () => {
      const result = rfcServer().start(typeof message === 'string' ? bytes(message) : message)
      expect(result).toMatchObject({ ok: false, error })
    })
  }

  it('looks up the prepared name without its escapes', () => {
    const names: string[] = []
    const lookup = (name: string): { verifier: ScramVerifier; isKnown: boolean } => {
      names.push(name)
      return { verifier: rfcVerifier, isKnown: true }
    }
    for (const message of ['n,,n=a=2Cb=3Dc,r=x', 'y,,n=I\u00adX,r=x', 'n,a=ann,n=ann,r=x', 'n,,n=ann,r=x,z=more']) {
      expect(new ScramServer({ lookup }).start(bytes(message)).ok).toBe(true)
    }
    expect(names).toEqual(['a,b=c', 'IX', 'ann', 'ann'])
  })

  const nonce = `r=${RFC.clientNonce}${RFC.serverNonce}`
  const proof = 'p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ='
  const FINISH_REFUSALS: readonly (readonly [name: string, message: string | Uint8Array, error: ScramError])[] = [
    ['nothing', '', 'other-error'],
    ['no proof', `c=biws,${nonce}`, 'other-error'],
    ['only a proof', `,${proof}`, 'other-error'],
    ['an empty proof', `c=biws,${nonce},p=`, 'invalid-encoding'],
    ['a short proof', `c=biws,${nonce},p=AAAA`, 'invalid-encoding'],
    ['a proof with stray bits', `c=biws,${nonce},${proof.replace('dVQ=', 'dVR=')}`, 'invalid-encoding'],
    ['a wrong proof', `c=biws,${nonce},${proof.replace('dHzb', 'dHza')}`, 'invalid-proof'],
    ['an unknown extension that the proof does not cover', `c=biws,${nonce},x=1,${proof}`, 'invalid-proof'],
    ['the header of another flag', `c=eSws,${nonce},${proof}`, 'channel-bindings-dont-match'],
    ['binding data', `c=biwsYWJj,${nonce},${proof}`, 'channel-bindings-dont-match'],
    ['an unreadable binding', `c=%%,${nonce},${proof}`, 'channel-bindings-dont-match'],
    ['the client nonce alone', `c=biws,r=${RFC.clientNonce},${proof}`, 'other-error'],
    ['the nonce of another exchange', `c=biws,${nonce}x,${proof}`, 'other-error'],
    ['NUL', `c=biws,${nonce},x=\0,${proof}`, 'invalid-encoding'],
    ['invalid UTF-8', Uint8Array.of(0x63, 0x3d, 0xc0, 0x80), 'invalid-encoding'],
    ['a megabyte', Buffer.alloc(1_000_000, 0x63), 'other-error'],
  ]
  for (const [name, message, error] of FINISH_REFUSALS) {
    it(`refuses a client-final message with ${name}`, () => {
      const result = startedServer().finish(typeof message === 'string' ? bytes(message) : message)
      expect(result).toMatchObject({ ok: false, error })
    })
  }

  it('refuses client-final after any single byte was changed', () => {
    const original = bytes(RFC.clientFinal)
    for (let index = 0; index < original.length; index++) {
      const changed = Buffer.from(original)
      changed[index] = (changed[index] ?? 0) ^ 0x01
      expect(startedServer().finish(changed).ok).toBe(false)
    }
  })

  it('is used once', () => {
    const server = startedServer()
    expect(() => server.start(bytes(RFC.clientFirst))).toThrow('one client-first message')
    expect(server.finish(bytes(RFC.clientFinal)).ok).toBe(true)
    expect(() => server.finish(bytes(RFC.clientFinal))).toThrow('after a successful start')
    const failed = rfcServer()
    failed.start(bytes('x'))
    expect(() => failed.finish(bytes(RFC.clientFinal))).toThrow('after a successful start')
  })

  it('answers any bytes without throwing', () => {
    const pieces = fc.constantFrom(
      'n',
      'y',
      'p=',
      ',',
      ',,',
      'a=',
      'n=',
      'r=',
      'm=',
      'c=',
      'biws',
      '=2C',
      '=',
      '\0',
      'é',
    )
    const message = fc.oneof(
      fc.uint8Array({ maxLength: 64 }),
      fc.array(pieces, { maxLength: 12 }).map((parts) => bytes(parts.join(''))),
    )
    fc.assert(
      fc.property(message, message, (first, final) => {
        expect(typeof rfcServer().start(first).ok).toBe('boolean')
        expect(startedServer().finish(final).ok).toBe(false)
      }),
      { numRuns: 500 },
    )
  })
})

describe('ScramClient', () => {
  const rfcClient = (): ScramClient =>
    new ScramClient({ username: RFC.username, password: RFC.password, nonce: RFC.clientNonce })

  it('speaks the exchange of RFC 7677 §3 byte by byte', async () => {
    const client = rfcClient()
    expect(text(client.first())).toBe(RFC.clientFirst)
    expect(text(await client.final(bytes(RFC.serverFirst)))).toBe(RFC.clientFinal)
    expect(() => client.verify(bytes(RFC.serverFinal))).not.toThrow()
  })

  it('does not believe a server that does not know the password', async () => {
    const client = rfcClient()
    await client.final(bytes(RFC.serverFirst))
    const proofs = [RFC.serverFinal.replace('6rri', '6rrj'), 'v=', 'v=AAAA', '', 'e=other-error']
    for (const proof of proofs) expect(() => client.verify(bytes(proof))).toThrow('the server')
    expect(() => rfcClient().verify(bytes(RFC.serverFinal))).toThrow('did not prove')
  })

  const BAD_SERVERS = [
    ['no salt', 'r=rOprNGfwEbeRWgbNEkqOx,i=4096', 'instead of r='],
    ['another nonce', 'r=other,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096', 'does not continue ours'],
    ['our nonce alone', 'r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096', 'does not continue ours'],
    ['too few iterations', 'r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1', 'asks for 1 iterations'],
    ['hours of iterations', 'r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=999999999', 'asks for 999999999'],
  ] as const
  for (const [name, message, problem] of BAD_SERVERS) {
    it(`refuses a server-first message with ${name}`, async () => {
      await expect(rfcClient().final(bytes(message))).rejects.toThrow(problem)
    })
  }

  it('refuses a name or password that SASLprep refuses', () => {
    expect(() => new ScramClient({ username: 'a\0', password: 'x' })).toThrow('the name holds U+0000')
    expect(() => new ScramClient({ username: 'a', password: '\u200b' })).toThrow('the password is empty')
  })

  it('logs in with any prepared name and password, under either flag, and only with the right password', async () => {
    const word = fc.stringMatching(/^[!-~é\u{1f511}]{1,12}$/u)
    await fc.assert(
      fc.asyncProperty(
        word,
        word,
        word,
        fc.constantFrom('n' as const, 'y' as const),
        async (username, password, other, gs2Flag) => {
          const verifier = await verifierFor(password)
          for (const tried of [password, other]) {
            const client = new ScramClient({ username, password: tried, gs2Flag })
            const server = new ScramServer({ lookup: (name) => ({ verifier, isKnown: name === username }) })
            const started = server.start(client.first())
            if (!started.ok) throw new Error(started.detail)
            const finished = server.finish(await client.final(started.serverFirst))
            expect(finished.ok).toBe(tried === password)
            if (finished.ok) client.verify(finished.serverFinal)
          }
        },
      ),
      { numRuns: 25 },
    )
  })
})

describe('SCRAM verifiers', () => {
  it('come back from their text', async () => {
    const verifier = await makeScramVerifier(bytes('pencil'), 4_096)
    const stored = formatScramVerifier(verifier)
    expect(stored).toMatch(/^SCRAM-SHA-256\$4096:[A-Za-z0-9+/=]{24}\$[A-Za-z0-9+/=]{44}:[A-Za-z0-9+/=]{44}$/)
    expect(parseScramVerifier(stored)).toEqual(verifier)
  })

  it('are made from the prepared password', async () => {
    const verifier = await makeScramVerifier(bytes('I\u00adX'), 4_096)
    expect(verifier).toEqual(await verifierFor('IX', verifier.salt))
  })

  const BAD_PASSWORDS = [
    ['that is not UTF-8', Uint8Array.of(0xff, 0xfe), 'is not UTF-8'],
    ['with a control character', bytes('a\nb'), 'holds U+000A'],
    ['of invisible characters only', bytes('\u200b'), 'is empty after SASLprep'],
  ] as const
  for (const [name, password, problem] of BAD_PASSWORDS) {
    it(`are refused for a password ${name}, with the way out`, async () => {
      await expect(makeScramVerifier(password)).rejects.toThrow(problem)
      await expect(makeScramVerifier(password)).rejects.toThrow('leave SCRAM out for this user')
    })
  }

  it('are refused outside the limits of iterations', async () => {
    await expect(makeScramVerifier(bytes('x'), 4_095)).rejects.toMatchObject({ code: 'AUTH_COST_INVALID' })
    await expect(makeScramVerifier(bytes('x'), 1e9)).rejects.toMatchObject({ code: 'AUTH_COST_INVALID' })
  })

  const KEY = toBase64(Buffer.alloc(32, 1))
  const HOSTILE = [
    ['nothing', ''],
    ['another hash', `SCRAM-SHA-1$4096:AAAA$${KEY}:${KEY}`],
    ['too few iterations', `SCRAM-SHA-256$1:AAAA$${KEY}:${KEY}`],
    ['too many iterations', `SCRAM-SHA-256$99999999:AAAA$${KEY}:${KEY}`],
    ['no salt', `SCRAM-SHA-256$4096:$${KEY}:${KEY}`],
    ['a short key', `SCRAM-SHA-256$4096:AAAA$AAAA:${KEY}`],
    ['a line end', `SCRAM-SHA-256$4096:AAAA$${KEY}:${KEY}\n`],
    ['a huge text', `SCRAM-SHA-256$4096:${'A'.repeat(1_000_000)}$${KEY}:${KEY}`],
  ] as const
  for (const [name, stored] of HOSTILE) {
    it(`are not read from ${name}`, () => {
      expect(() => parseScramVerifier(stored)).toThrow(expect.objectContaining({ code: 'AUTH_VERIFIER_INVALID' }))
    })
  }
})
