/**
 * Certificates of the TLS listeners: those of the configuration, else development ones in the data directory. Files that
 * change are picked up; development certificates are renewed in time.
 */
import type { CertificateInfo } from '@ternmq/api'
import type { BrokerConfig } from '@ternmq/config'
import type { Cancel, Clock } from '@ternmq/core'
import type { AuditLog } from '@ternmq/management'
import {
  type CertificateFiles,
  type DevelopmentCertificates,
  developmentCertificates,
  type SecureListener,
  type ServerCertificate,
  watchCertificate,
} from '@ternmq/transport'
import { X509Certificate } from 'node:crypto'
import { hostname } from 'node:os'

import { BrokerError, messageOf } from '../errors.ts'
import type { Log } from '../reports/log.ts'
import { calledIn, readSecured, type Secured, securedBy, termProblem } from './secured.ts'

export interface CertificatesOptions {
  /** Where development certificates are; undefined for a broker without files. */
  readonly folder: string | undefined
  readonly clock: Clock
  readonly log: Log
  /** Has what clients are shown from then on, and what could not be used. */
  readonly audit: Pick<AuditLog, 'record'>
}

/** A renewal that failed (a full disk) is tried again after this long. */
const RENEW_AGAIN_MS = 3_600_000

export class Certificates {
  readonly #options: CertificatesOptions
  readonly #current = new Map<Secured, ServerCertificate>()
  /** Of the same, for operators. */
  readonly #infos = new Map<Secured, CertificateInfo>()
  readonly #listeners = new Map<Secured, Pick<SecureListener, 'setCertificate'>>()
  #watches: Cancel[] = []
  #cancelRenewal: Cancel = () => {}
  #isClosed = false

  /** Reads what the enabled TLS listeners need. Throws an error that names file or setting. */
  static async open(config: BrokerConfig, options: CertificatesOptions): Promise<Certificates> {
    const certificates = new Certificates(options)
    await certificates.use(config)
    return certificates
  }

  private constructor(options: CertificatesOptions) {
    this.#options = options
  }

  /** The certificate to begin with. */
  for(name: Secured): ServerCertificate {
    return this.#current.get(name) as ServerCertificate
  }

  /** What clients see, and whether something newer waits that cannot be used. */
  inUse(): ReadonlyMap<Secured, CertificateInfo> {
    return this.#infos
  }

  /** `listener` gets every later one. */
  attach(name: Secured, listener: Pick<SecureListener, 'setCertificate'>): void {
    this.#listeners.set(name, listener)
  }

  /** Reads all files anew, also when they are the same. Throws, and keeps what it has, when one of them cannot be used. */
  async use(config: BrokerConfig): Promise<void> {
    const secure = securedBy(config)
    const unnamed = secure.find(({ tls }) => tls.cert === undefined)
    const development = unnamed === undefined ? undefined : await this.#makeDevelopment(unnamed.name)
    const read = await Promise.all(
      secure.map(async (each) => ({
        ...(await readSecured(each, development)),
        isDevelopment: each.tls.cert === undefined,
      })),
    )
    if (this.#isClosed) return
    this.#unwatch()
    for (const each of read) {
      const { name, files, isDevelopment, certificate } = each
      const problem = termProblem(each, this.#options.clock.wallMs())
      if (problem !== undefined && !isDevelopment) this.#options.log.warn({ listener: name }, problem.text)
      this.#apply(name, certificate, isDevelopment)
      this.#watches.push(this.#watch(name, files, certificate, isDevelopment))
    }
    if (development !== undefined) this.#renewAt(development.renewAtMs)
  }

  /** No more looking at files. */
  close(): void {
    this.#isClosed = true
    this.#unwatch()
  }

  #unwatch(): void {
    for (const cancel of this.#watches) cancel()
    this.#watches = []
    this.#cancelRenewal()
  }

  #apply(name: Secured, certificate: ServerCertificate, isDevelopment: boolean): void {
    this.#listeners.get(name)?.setCertificate(certificate)
    const before = this.#current.get(name)
    this.#current.set(name, certificate)
    const { fingerprint256, subject, validToDate } = new X509Certificate(certificate.cert)
    if (before !== undefined && new X509Certificate(before.cert).fingerprint256 !== fingerprint256)
      this.#record(name, 'done', `another certificate, valid until ${validToDate.toISOString().slice(0, 10)}`)
    this.#infos.set(name, { subject: subject.replaceAll('\n', ', '), notAfterMs: validToDate.getTime(), isDevelopment })
  }

  #record(name: Secured, outcome: 'done' | 'failed', detail: string): void {
    const target = calledIn(name)
    const nobody = { user: '', address: '', by: 'none' } as const
    this.#options.audit.record({ ...nobody, action: 'certificate.change', target, outcome, detail })
  }

  #setProblem(name: Secured, problem: string | undefined): void {
    const info = this.#infos.get(name)
    if (info !== undefined) this.#infos.set(name, { ...info, problem })
  }

  #watch(name: Secured, files: CertificateFiles, certificate: ServerCertificate, isDevelopment: boolean): Cancel {
    const { clock, log } = this.#options
    return watchCertificate(files, certificate, {
      clock,
      onChange: (changed) => {
        this.#apply(name, changed, isDevelopment)
        log.info(
          { listener: name, certFile: files.certFile },
          `${calledIn(name)} uses its new certificate for connections from now on`,
        )
      },
      onBroken: (text) => {
        this.#setProblem(name, text)
        this.#record(name, 'failed', text)
        log.error({ listener: name }, `${calledIn(name)} keeps its certificate: ${text}`)
      },
      onMended: () => {
        this.#setProblem(name, undefined)
        log.info({ listener: name }, `the files of the certificate of ${calledIn(name)} are good again`)
      },
    })
  }

  async #makeDevelopment(name: Secured): Promise<DevelopmentCertificates> {
    const { folder, clock, log } = this.#options
    if (folder === undefined) {
      const key = name === 'console' ? 'console' : `listeners.${name}`
      const off = name === 'console' ? 'console.tls.enabled' : `${key}.enabled`
      const text = `${key}.tls.cert and .key are not set, and a broker without data directory cannot make its own; set both, or ${off}=false`
      throw new BrokerError('CERTIFICATE_MISSING', text)
    }
    const made = await developmentCertificates({ folder, names: [hostname()], nowMs: clock.wallMs() })
    if (made.made !== 'nothing') log.info({ folder }, `made a development ${made.made}`)
    log.info({ caFile: made.caFile }, `TLS with a development certificate: clients have to trust ${made.caFile}`)
    return made
  }

  /** The files change, and with them, through the watches, what listeners use. */
  #renewAt(atMs: number): void {
    if (this.#isClosed) return
    const { folder, clock, log } = this.#options
    this.#cancelRenewal = clock.after(Math.max(atMs - clock.wallMs(), RENEW_AGAIN_MS), () => {
      const request = { folder: folder as string, names: [hostname()], nowMs: clock.wallMs() }
      developmentCertificates(request).then(
        ({ renewAtMs }) => this.#renewAt(renewAtMs),
        (error: unknown) => {
          log.error({}, `cannot renew the development certificate: ${messageOf(error)}`)
          this.#renewAt(0)
        },
      )
    })
  }
}
