import { describe, expect, it } from 'vitest'
import {
  costProblem,
  decoyVerifier,
  hashPassword,
  needsRehash,
  parsePasswordVerifier,
  passwordProblem,
  verifyPassword,
} from './password.ts'

/** Written by passlib, another implementation, for the password 'password'. */
const FOREIGN = '$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E'
const CHEAP = { ln: 10, r: 8, p: 1 }
const SALT = 'aM15713r3Xsvxbi31lqr1Q'
const HASH = 'nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E'

const bytes = (text: string): Buffer => Buffer.from(text)

describe('password verifiers', () => {
  it('accept the password of a verifier that another implementation wrote', async () => {
    const verifier = parsePasswordVerifier(FOREIGN)
    expect(await verifyPassword(verifier, bytes('password'))).toBe(true)
    expect(await verifyPassword(verifier, bytes('passwore'))).toBe(false)
  })

  it('carry their parameters and a new salt each time', async () => {
    const [one, two] = await Promise.all([hashPassword(bytes('pw'), CHEAP), hashPassword(bytes('pw'), CHEAP)])
    expect(one).toMatch(/^\$scrypt\$ln=10,r=8,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
    expect(one).not.toBe(two)
    expect(await verifyPassword(parsePasswordVerifier(one), bytes('pw'))).toBe(true)
    expect(await verifyPassword(parsePasswordVerifier(two), bytes('pw'))).toBe(true)
  })

  it('take the password as bytes: NUL, invalid UTF-8 and composed letters are what they are', async () => {
    const verifier = parsePasswordVerifier(await hashPassword(Uint8Array.of(0xff, 0x00, 0xc3), CHEAP))
    expect(await verifyPassword(verifier, Uint8Array.of(0xff, 0x00, 0xc3))).toBe(true)
    expect(await verifyPassword(verifier, Uint8Array.of(0xff))).toBe(false)
    const composed = parsePasswordVerifier(await hashPassword(bytes('\u00e9'), CHEAP))
    expect(await verifyPassword(composed, bytes('e\u0301'))).toBe(false)
  })

  it('are refused for an empty password and for one longer than the limit', async () => {
    await expect(hashPassword(bytes(''), CHEAP)).rejects.toThrow('the password is empty')
    await expect(hashPassword(Buffer.alloc(1_025, 1), CHEAP)).rejects.toThrow(
      'has 1025 bytes, at most 1024 are allowed',
    )
    expect(passwordProblem(Buffer.alloc(1_024, 1))).toBeUndefined()
  })

  it('of an unknown user meet no password and keep the cost', async () => {
    const decoy = decoyVerifier(CHEAP)
    expect(decoy.cost).toEqual(CHEAP)
    expect(await verifyPassword(decoy, bytes('pw'))).toBe(false)
  })

  const HOSTILE = [
    ['nothing', ''],
    ['another scheme', '$argon2id$v=19$m=65536,t=2,p=1$c2FsdHNhbHQ$aGFzaA'],
    ['memory for a terabyte', `$scrypt$ln=30,r=8,p=1$${SALT}$${HASH}`],
    ['more work than allowed', `$scrypt$ln=15,r=8,p=99$${SALT}$${HASH}`],
    ['too little work', `$scrypt$ln=9,r=8,p=1$${SALT}$${HASH}`],
    ['a leading zero', `$scrypt$ln=015,r=8,p=1$${SALT}$${HASH}`],
    ['no rounds', `$scrypt$ln=15,r=0,p=1$${SALT}$${HASH}`],
    ['padded base64', `$scrypt$ln=15,r=8,p=1$${SALT}==$${HASH}`],
    ['base64 with stray bits', `$scrypt$ln=15,r=8,p=1$${SALT.slice(0, -1)}R$${HASH}`],
    ['a short hash', `$scrypt$ln=15,r=8,p=1$${SALT}$${HASH.slice(0, 20)}`],
    ['a line end', `$scrypt$ln=15,r=8,p=1$${SALT}$${HASH}\n`],
    ['a NUL', `$scrypt$ln=15,r=8,p=1$${SALT}\0$${HASH}`],
    ['a huge text', `$scrypt$ln=15,r=8,p=1$${SALT}$${'A'.repeat(1_000_000)}`],
  ] as const
  for (const [name, text] of HOSTILE) {
    it(`are not read from ${name}, and the error does not repeat them`, () => {
      expect(() => parsePasswordVerifier(text)).toThrow(
        expect.objectContaining({
          code: 'AUTH_VERIFIER_INVALID',
          message: expect.not.stringContaining(HASH) as string,
        }),
      )
    })
  }

  it('need a rehash exactly when the cost has changed', () => {
    const verifier = parsePasswordVerifier(FOREIGN)
    expect(needsRehash(verifier, { ln: 16, r: 8, p: 1 })).toBe(false)
    expect(needsRehash(verifier, { ln: 15, r: 8, p: 1 })).toBe(true)
    expect(needsRehash(verifier, { ln: 16, r: 4, p: 1 })).toBe(true)
    expect(needsRehash(verifier, { ln: 16, r: 8, p: 2 })).toBe(true)
    expect(needsRehash(parsePasswordVerifier(`$scrypt$ln=16,r=8,p=1$c2FsdHNhbHQ$${HASH}`), verifier.cost)).toBe(true)
  })

  it('are not made at a cost outside the limits', async () => {
    await expect(hashPassword(bytes('pw'), { ln: 20, r: 8, p: 1 })).rejects.toMatchObject({ code: 'AUTH_COST_INVALID' })
    expect(costProblem({ ln: 15.5, r: 8, p: 1 })).toContain('ln=15.5')
    expect(costProblem({ ln: Number.NaN, r: 8, p: 1 })).toBeDefined()
    expect(costProblem({ ln: 17, r: 8, p: 1 })).toBeUndefined()
  })
})
