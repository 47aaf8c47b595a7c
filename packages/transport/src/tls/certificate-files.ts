/** Reads certificates, keys and authorities from files, and notices when they change. */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { type FSWatcher, watch } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { createSecureContext } from 'node:tls'

import type { Cancel, Clock } from '@ternmq/core'

import { TransportError } from '../errors.ts'

export interface CertificateFiles {
  /** PEM: the server's certificate, then those between it and the root, if any. */
  readonly certFile: string
  /** PEM: its private key. */
  readonly keyFile: string
  /** PEM: authorities whose client certificates are accepted. */
  readonly clientCaFile?: string
}

/** The content of `CertificateFiles`, checked. */
export interface ServerCertificate {
  readonly cert: Buffer
  readonly key: Buffer
  readonly clientCa?: Buffer
}

/**
 * Reads the files and checks that they are what they should be and belong together. Throws TransportError that names the file
 * and what is wrong with it.
 */
export async function readCertificate(files: CertificateFiles): Promise<ServerCertificate> {
  // One after the other: of several that cannot be read the first is named, and not the one whose error is quickest.
  const cert = await read(files.certFile, 'certificate')
  const key = await read(files.keyFile, 'private key')
  const clientCa = files.clientCaFile === undefined ? undefined : await readAuthority(files.clientCaFile)
  const certificate = parse(files.certFile, 'a PEM certificate', () => new X509Certificate(cert))
  const privateKey = parse(files.keyFile, 'an unencrypted PEM private key', () => createPrivateKey(key))
  if (!certificate.checkPrivateKey(privateKey)) {
    const text = `the private key in ${files.keyFile} does not belong to the certificate in ${files.certFile}`
    throw new TransportError('CERTIFICATE_INVALID', text)
  }
  parse(files.certFile, 'a usable certificate chain', () => createSecureContext({ cert, key }))
  return clientCa === undefined ? { cert, key } : { cert, key, clientCa }
}

/** Of whoever signs client certificates, checked. Throws TransportError as `readCertificate` does. */
export async function readAuthority(file: string): Promise<Buffer> {
  const authority = await read(file, 'client authority')
  parse(file, 'a PEM certificate', () => new X509Certificate(authority))
  return authority
}

/** Beyond it a file is refused: all authorities that browsers know are smaller together. */
const FILE_BYTES_MAX = 1_048_576

async function read(file: string, what: string): Promise<Buffer> {
  try {
    // Opening a pipe would wait for a writer, and a device may have no end.
    const found = await stat(file)
    if (!found.isFile()) throw new Error('it is not a file')
    if (found.size > FILE_BYTES_MAX) throw new Error(`it has ${found.size} bytes, ${FILE_BYTES_MAX} are the limit`)
    return await readFile(file)
  } catch (cause) {
    const text = `cannot read the ${what} ${file}: ${cause instanceof Error ? cause.message : String(cause)}`
    throw new TransportError('CERTIFICATE_UNREADABLE', text, { cause })
  }
}

function parse<T>(file: string, what: string, f: () => T): T {
  try {
    return f()
  } catch (cause) {
    const text = `${file} is not ${what}: ${cause instanceof Error ? cause.message : String(cause)}`
    throw new TransportError('CERTIFICATE_INVALID', text, { cause })
  }
}

/** A certificate and its key are replaced one after the other; both are there this long after the first change. */
const SETTLE_MS = 200

/** Looks anyway this often: some file systems (network mounts, containers) tell nobody about changes. */
const POLL_MS = 60_000

export interface CertificateWatch {
  readonly clock: Clock
  /** The files changed and are good. */
  onChange(certificate: ServerCertificate): void
  /** The files changed and cannot be used; what was there before stays in use. Told once per content. */
  onBroken(text: string): void
  /** After `onBroken`: the files are what is in use again. */
  onMended(): void
}

/**
 * Calls `onChange` whenever the content of the files is another one, however they were replaced (written, renamed, linked
 * anew). `current` is what is in use now. Returns what stops it.
 */
export function watchCertificate(
  files: CertificateFiles,
  current: ServerCertificate,
  observer: CertificateWatch,
): Cancel {
  return new CertificateWatcher(files, current, observer).start()
}

class CertificateWatcher {
  readonly #files: CertificateFiles
  readonly #observer: CertificateWatch
  #current: ServerCertificate
  /** What was last told to be broken. */
  #brokenText = ''
  readonly #watchers: FSWatcher[] = []
  #cancelTimer: Cancel = () => {}
  #isLooking = false
  #isStopped = false

  constructor(files: CertificateFiles, current: ServerCertificate, observer: CertificateWatch) {
    this.#files = files
    this.#current = current
    this.#observer = observer
  }

  start(): Cancel {
    // Folders, not files: a file that is replaced by rename or by another link takes its own watch with it.
    const { certFile, keyFile, clientCaFile } = this.#files
    const folders = new Set([certFile, keyFile, clientCaFile ?? certFile].map((file) => dirname(file)))
    for (const folder of folders) this.#watch(folder)
    this.#lookIn(POLL_MS)
    return () => this.#stop()
  }

  #watch(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, () => this.#lookIn(SETTLE_MS))
      watcher.on('error', () => watcher.close()) // the folder is gone or cannot be watched: polling goes on
      this.#watchers.push(watcher)
    } catch {
      // No watch to be had (limits of the system): polling finds the change.
    }
  }

  #lookIn(delayMs: number): void {
    this.#cancelTimer()
    if (this.#isStopped) return
    this.#cancelTimer = this.#observer.clock.after(delayMs, () => void this.#look()) // reports its own errors
  }

  async #look(): Promise<void> {
    if (this.#isLooking) {
      this.#lookIn(SETTLE_MS) // an older look must not end after a newer one
      return
    }
    this.#lookIn(POLL_MS)
    this.#isLooking = true
    try {
      const found = await readCertificate(this.#files)
      if (this.#isStopped) return
      const isSameAsUsed = isSame(found, this.#current)
      if (!isSameAsUsed) this.#observer.onChange(found) // throws when OpenSSL refuses it: then it is not current
      else if (this.#brokenText !== '') this.#observer.onMended()
      this.#current = found
      this.#brokenText = ''
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error)
      if (this.#isStopped || text === this.#brokenText) return
      this.#brokenText = text
      this.#observer.onBroken(text)
    } finally {
      this.#isLooking = false
    }
  }

  #stop(): void {
    this.#isStopped = true
    this.#cancelTimer()
    for (const watcher of this.#watchers) watcher.close()
  }
}

function isSame(one: ServerCertificate, other: ServerCertificate): boolean {
  const isSameCa =
    one.clientCa === undefined || other.clientCa === undefined
      ? one.clientCa === other.clientCa
      : one.clientCa.equals(other.clientCa)
  return isSameCa && one.cert.equals(other.cert) && one.key.equals(other.key)
}
