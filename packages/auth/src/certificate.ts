/** Which user a client certificate stands for. The transport has verified it; here only its names are read. */
import type { TlsPeer } from '@ternmq/core'
import { quoted } from './errors.ts'
import { userNameProblem } from './users.ts'

/** The part of the certificate that names the user. */
export type CertificateField = 'cn' | 'san-dns' | 'san-email' | 'san-uri'

const ALT_NAME_PREFIX = {
  'san-dns': 'DNS:',
  'san-email': 'email:',
  'san-uri': 'URI:',
} as const satisfies Record<Exclude<CertificateField, 'cn'>, string>

export type CertificateName =
  | { readonly ok: true; readonly name: string }
  | { readonly ok: false; readonly problem: string }

/** True when the peer has shown a certificate that the listener's CA vouches for. */
export function hasCertificate(tls: TlsPeer | undefined): tls is TlsPeer {
  return tls !== undefined && (tls.commonName !== undefined || tls.altNames.length > 0)
}

/** The user name in `field`. Exactly one must be there: choosing among several would be guessing who logs in. */
export function certificateName(tls: TlsPeer, field: CertificateField): CertificateName {
  const names = field === 'cn' ? (tls.commonName === undefined ? [] : [tls.commonName]) : altNames(tls, field)
  const name = names[0]
  if (name === undefined || names.length > 1) {
    return {
      ok: false,
      problem: `the client certificate has ${names.length} names of the kind ${field}, exactly one is needed`,
    }
  }
  const problem = userNameProblem(name)
  if (problem !== undefined)
    return { ok: false, problem: `the name ${quoted(name)} in the client certificate (${field}) ${problem}` }
  return { ok: true, name }
}

function altNames(tls: TlsPeer, field: Exclude<CertificateField, 'cn'>): string[] {
  const prefix = ALT_NAME_PREFIX[field]
  return tls.altNames.filter((altName) => altName.startsWith(prefix)).map((altName) => altName.slice(prefix.length))
}
