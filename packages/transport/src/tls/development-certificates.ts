/**
 * Certificates for a broker that was given none: an authority of its own in the data directory, and a server certificate that
 * it signs. A developer trusts the authority once; the server certificate is renewed under it.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { chmod, mkdir, open, readFile, rename } from 'node:fs/promises'
import { isIP } from 'node:net'
import { join } from 'node:path'

import type { CertificateFiles } from './certificate-files.ts'
import { systemCode } from '../errors.ts'
import { parseAltNames } from './peer-names.ts'
import type { CertifiedKey } from './x509.ts'

const DAY_MS = 24 * 3_600_000

/** The authority is trusted by hand on every client: rarely. */
const AUTHORITY_VALID_MS = 3_650 * DAY_MS

/** The longest that every platform accepts. */
const SERVER_VALID_MS = 397 * DAY_MS

/** Renewed when less than this is left. */
export const RENEW_BEFORE_MS: number = 30 * DAY_MS

export interface DevelopmentCertificates extends CertificateFiles {
  /** PEM: what clients have to trust. */
  readonly caFile: string
  /** What had to be made just now. */
  readonly made: 'nothing' | 'server certificate' | 'authority and server certificate'
  /** When to call again for the next renewal, as Unix time in ms. */
  readonly renewAtMs: number
}

export interface DevelopmentRequest {
  /** Folder for the files; made when missing. */
  readonly folder: string
  /** Further DNS names and addresses beside localhost, 127.0.0.1 and ::1: the machine's name. */
  readonly names: readonly string[]
  readonly nowMs: number
}

/**
 * Makes what is missing, broken, about to expire or made for other names; keeps the rest. Call it at the start and again at
 * `renewAtMs`. Keys are readable for their owner only. Throws what the file system throws.
 */
export async function developmentCertificates(request: DevelopmentRequest): Promise<DevelopmentCertificates> {
  const { folder, nowMs } = request
  const files = {
    caFile: join(folder, 'ca.pem'),
    caKeyFile: join(folder, 'ca-key.pem'),
    certFile: join(folder, 'server.pem'),
    keyFile: join(folder, 'server-key.pem'),
  }
  await mkdir(folder, { recursive: true })
  const names = [...new Set(['localhost', '127.0.0.1', '::1', ...request.names.filter(canBeCertified)])]
  let made: DevelopmentCertificates['made'] = 'nothing'

  let authority = await readPair(files.caFile, files.caKeyFile)
  if (authority === undefined || !isGood(authority, nowMs)) {
    const { makeAuthority } = await import('./x509.ts')
    const year = new Date(nowMs).getUTCFullYear()
    authority = makeAuthority({ commonName: `TernMQ development CA ${year}`, nowMs, validMs: AUTHORITY_VALID_MS })
    await writePair(files.caFile, files.caKeyFile, authority)
    made = 'authority and server certificate'
  }

  let server = await readPair(files.certFile, files.keyFile)
  if (server === undefined || !isGood(server, nowMs) || !isSignedFor(server, authority, names)) {
    const { makeCertificate } = await import('./x509.ts')
    const commonName = 'TernMQ development server'
    server = makeCertificate(authority, { commonName, names, usage: 'server', nowMs, validMs: SERVER_VALID_MS })
    await writePair(files.certFile, files.keyFile, server)
    if (made === 'nothing') made = 'server certificate'
  }
  await Promise.all([chmod(files.caKeyFile, 0o600), chmod(files.keyFile, 0o600)])
  const endsMs = Math.min(expiresAtMs(authority), expiresAtMs(server))
  return { ...files, made, renewAtMs: endsMs - RENEW_BEFORE_MS }
}

/** Undefined when a file is missing, or the two are not a certificate and its key: a start that was cut off left them so. */
async function readPair(certFile: string, keyFile: string): Promise<CertifiedKey | undefined> {
  try {
    const [certificate, privateKey] = await Promise.all([readFile(certFile, 'utf8'), readFile(keyFile, 'utf8')])
    const belong = new X509Certificate(certificate).checkPrivateKey(createPrivateKey(privateKey))
    return belong ? { certificate, privateKey } : undefined
  } catch (error) {
    const code = systemCode(error)
    if (code === 'EACCES' || code === 'EPERM') throw error // not ours to replace
    return undefined
  }
}

function expiresAtMs({ certificate }: CertifiedKey): number {
  return Date.parse(new X509Certificate(certificate).validTo)
}

function isGood(pair: CertifiedKey, nowMs: number): boolean {
  return expiresAtMs(pair) - nowMs > RENEW_BEFORE_MS
}

function isSignedFor(server: CertifiedKey, authority: CertifiedKey, names: readonly string[]): boolean {
  const certificate = new X509Certificate(server.certificate)
  if (!certificate.verify(new X509Certificate(authority.certificate).publicKey)) return false
  const altNames = parseAltNames(certificate.subjectAltName ?? '')
  return names.every(
    (name) => altNames.includes(`DNS:${name}`) || (isIP(name) !== 0 && certificate.checkIP(name) !== undefined),
  )
}

/** A machine may be called anything; a certificate holds DNS names and addresses. */
function canBeCertified(name: string): boolean {
  return isIP(name) !== 0 || /^[a-z0-9_]([a-z0-9._-]{0,251}[a-z0-9_])?$/i.test(name)
}

async function writePair(certFile: string, keyFile: string, pair: CertifiedKey): Promise<void> {
  await replace(keyFile, pair.privateKey, 0o600)
  await replace(certFile, pair.certificate, 0o644)
}

/** Whole or not at all, and never readable for more than `mode` says. */
async function replace(file: string, content: string, mode: number): Promise<void> {
  const next = `${file}.next`
  const handle = await open(next, 'w', mode)
  try {
    await handle.chmod(mode) // a file left over from a cut-off start may have had another
    await handle.writeFile(content)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(next, file)
}
