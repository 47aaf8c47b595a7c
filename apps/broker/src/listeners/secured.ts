/**
 * What of a configuration has a certificate, and its files, read and checked: in one place, so that `config check` finds what a start would.
 */
import { type BrokerConfig, type ListenerName, listenersOf } from '@ternmq/config'
import {
  type CertificateFiles,
  type DevelopmentCertificates,
  readAuthority,
  readCertificate,
  type ServerCertificate,
  TransportError,
} from '@ternmq/transport'
import { X509Certificate } from 'node:crypto'

/** What has a certificate: listeners, and the console. */
export type Secured = ListenerName | 'console'

/** Where a certificate comes from; of listeners also whom client certificates have to be signed by. */
interface TlsFiles {
  readonly cert?: string | undefined
  readonly key?: string | undefined
  readonly ca?: string | undefined
}

export interface SecuredFiles {
  readonly name: Secured
  readonly tls: TlsFiles
}

/** All that is enabled and uses TLS. */
export function securedBy(config: BrokerConfig): SecuredFiles[] {
  const listeners = listenersOf(config).flatMap(([name, { enabled, tls }]) => (enabled && tls ? [{ name, tls }] : []))
  const { enabled, tls } = config.console
  return enabled && tls.enabled ? [...listeners, { name: 'console', tls }] : listeners
}

export interface ReadCertificate {
  readonly name: Secured
  readonly files: CertificateFiles
  readonly certificate: ServerCertificate
}

/** Throws TransportError that names the setting, too: the files of several listeners may have like names. */
export async function readSecured(
  { name, tls }: SecuredFiles,
  development: DevelopmentCertificates | undefined,
): Promise<ReadCertificate> {
  const files = filesOf(tls, development)
  return { name, files, certificate: await withSetting(name, readCertificate(files)) }
}

/** The same before there is a development certificate: undefined where one will be made, and only the authority of clients is looked at. */
export async function readNamed({ name, tls }: SecuredFiles): Promise<ReadCertificate | undefined> {
  if (tls.cert !== undefined) return await readSecured({ name, tls }, undefined)
  if (tls.ca !== undefined) await withSetting(name, readAuthority(tls.ca))
  return undefined
}

async function withSetting<T>(name: Secured, reading: Promise<T>): Promise<T> {
  try {
    return await reading
  } catch (error) {
    if (!(error instanceof TransportError)) throw error
    const key = name === 'console' ? 'console.tls' : `listeners.${name}.tls`
    throw new TransportError(error.code, `${key}: ${error.message}`, { cause: error })
  }
}

const DAY_MS = 86_400_000
/** What ends sooner is worth a word while there is time to get another one. */
const ENDS_SOON_MS: number = 30 * DAY_MS

export interface TermProblem {
  /** Clients refuse it now. */
  readonly isUnusable: boolean
  readonly text: string
}

/** What is wrong with the time that the certificate is for; undefined for nothing. */
export function termProblem({ name, files, certificate }: ReadCertificate, nowMs: number): TermProblem | undefined {
  const { validFromDate, validToDate } = new X509Certificate(certificate.cert)
  const what = `the certificate of ${calledIn(name)}, ${files.certFile},`
  if (validFromDate.getTime() > nowMs)
    return {
      isUnusable: true,
      text: `${what} counts from ${dayOf(validFromDate)} on, and clients refuse it until then; see the clock of this machine, or use another one`,
    }
  const leftMs = validToDate.getTime() - nowMs
  if (leftMs > ENDS_SOON_MS) return undefined
  return leftMs <= 0
    ? {
        isUnusable: true,
        text: `${what} ended on ${dayOf(validToDate)}, and clients refuse it; put a new one in its place`,
      }
    : { isUnusable: false, text: `${what} ends on ${dayOf(validToDate)}; put a new one in its place before` }
}

function dayOf(date: Date): string {
  return date.toISOString().slice(0, 10)
}

export function calledIn(name: Secured): string {
  return name === 'console' ? 'the console' : `listener ${name}`
}

function filesOf(tls: TlsFiles, development: DevelopmentCertificates | undefined): CertificateFiles {
  const ca = tls.ca === undefined ? {} : { clientCaFile: tls.ca }
  if (tls.cert !== undefined && tls.key !== undefined) return { certFile: tls.cert, keyFile: tls.key, ...ca }
  const { certFile, keyFile } = development as DevelopmentCertificates
  return { certFile, keyFile, ...ca }
}
