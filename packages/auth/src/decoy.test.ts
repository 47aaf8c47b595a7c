import { describe, expect, it } from 'vitest'
import { Decoys } from './decoy.ts'
import { formatScramVerifier, toBase64 } from './scram-verifier.ts'
import { MemoryUserStore } from './users.ts'
import type { UserRecord } from './users.ts'

const COST = { ln: 15, r: 8, p: 1 }
const SECRET = Buffer.alloc(32, 1)
const PHC = '$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E'

function user(name: string, ln: number, iterations: number): UserRecord {
  const key = Buffer.alloc(32, 2)
  const scram = formatScramVerifier({ iterations, salt: Buffer.alloc(16, 3), storedKey: key, serverKey: key })
  return { name, verifier: `$scrypt$ln=${ln},r=8,p=1${PHC}`, scram, groups: [], createdAtMs: 1, changedAtMs: 1 }
}

describe('Decoys', () => {
  it('show the same salt for the same name, also after a restart, and another for another name', () => {
    const saltOf = (name: string, secret: Buffer): string =>
      toBase64(new Decoys(new MemoryUserStore([], secret), COST).scramVerifierFor(name).salt)
    expect(saltOf('bob', SECRET)).toBe(saltOf('bob', SECRET))
    expect(saltOf('bob', SECRET)).not.toBe(saltOf('eve', SECRET))
    expect(saltOf('bob', SECRET)).not.toBe(saltOf('bob', Buffer.alloc(32, 9)))
    expect(Buffer.from(saltOf('bob', SECRET), 'base64').length).toBe(16)
  })

  it('have the configured cost while there are no users to imitate', () => {
    const decoys = new Decoys(new MemoryUserStore([], SECRET), COST, 5_000)
    expect(decoys.passwordVerifierFor('bob').cost).toEqual(COST)
    expect(decoys.scramVerifierFor('bob').iterations).toBe(5_000)
    const certificateUsers = new MemoryUserStore([{ name: 'ann', groups: [], createdAtMs: 1, changedAtMs: 1 }], SECRET)
    expect(new Decoys(certificateUsers, COST).passwordVerifierFor('bob').cost).toEqual(COST)
  })

  it('imitate the costs of the users there are, the same for the same name', () => {
    const decoys = new Decoys(new MemoryUserStore([user('a', 14, 4_096), user('b', 16, 8_192)], SECRET), COST)
    const names = Array.from({ length: 64 }, (_, index) => `unknown${index}`)
    const kinds = names.map(
      (name) => `${decoys.passwordVerifierFor(name).cost.ln} ${decoys.scramVerifierFor(name).iterations}`,
    )
    expect(new Set(kinds)).toEqual(new Set(['14 4096', '16 8192']))
    expect(
      names.map((name) => `${decoys.passwordVerifierFor(name).cost.ln} ${decoys.scramVerifierFor(name).iterations}`),
    ).toEqual(kinds)
  })
})
