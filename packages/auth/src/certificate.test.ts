import { describe, expect, it } from 'vitest'
import { certificateName, hasCertificate } from './certificate.ts'

const tls = (commonName: string | undefined, ...altNames: string[]): Parameters<typeof certificateName>[0] => ({
  version: 'TLSv1.3',
  altNames,
  ...(commonName === undefined ? {} : { commonName }),
})

describe('certificateName', () => {
  const peer = tls(
    'ann',
    'DNS:dev7.example.org',
    'email:ann@example.org',
    'URI:spiffe://example.org/dev/7',
    'IP Address:10.0.0.1',
  )
  const NAMES = [
    ['cn', 'ann'],
    ['san-dns', 'dev7.example.org'],
    ['san-email', 'ann@example.org'],
    ['san-uri', 'spiffe://example.org/dev/7'],
  ] as const
  for (const [field, name] of NAMES) {
    it(`reads ${field}`, () => {
      expect(certificateName(peer, field)).toEqual({ ok: true, name })
    })
  }

  it('does not choose among several names', () => {
    expect(certificateName(tls('x', 'DNS:a', 'DNS:b'), 'san-dns')).toEqual({
      ok: false,
      problem: 'the client certificate has 2 names of the kind san-dns, exactly one is needed',
    })
  })

  it('does not take another kind of name instead of the one that is asked for', () => {
    expect(certificateName(tls('ann', 'DNS:ann'), 'san-email').ok).toBe(false)
    expect(certificateName(tls(undefined, 'DNS:ann'), 'cn').ok).toBe(false)
    expect(certificateName(tls('ann', 'dns:ann', 'X-DNS:ann'), 'san-dns').ok).toBe(false)
  })

  for (const name of ['', '*', 'anonymous', '$SYS', 'ann\0.evil', 'a\nb', 'x'.repeat(100_000), '\u202eann']) {
    it(`refuses a certificate for ${JSON.stringify(name.slice(0, 20))}`, () => {
      expect(certificateName(tls(name), 'cn').ok).toBe(false)
    })
  }
})

describe('hasCertificate', () => {
  it('needs a verified name of some kind', () => {
    expect(hasCertificate(undefined)).toBe(false)
    expect(hasCertificate(tls(undefined))).toBe(false)
    expect(hasCertificate(tls('ann'))).toBe(true)
    expect(hasCertificate(tls(undefined, 'DNS:a'))).toBe(true)
  })
})
