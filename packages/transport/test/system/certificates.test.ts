import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  unlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { SteppedClock, turn } from '@ternmq/testkit'
import { expect, onTestFinished, test } from 'vitest'

import {
  type DevelopmentCertificates,
  developmentCertificates,
  readCertificate,
  type ServerCertificate,
  TransportError,
  watchCertificate,
} from '../../src/index.ts'

const DAY_MS = 24 * 3_600_000

async function freshFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ternmq-certificates-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  return folder
}

function make(
  folder: string,
  nowMs: number = Date.now(),
  names: string[] = ['broker.test'],
): Promise<DevelopmentCertificates> {
  return developmentCertificates({ folder: join(folder, 'tls'), names, nowMs })
}

async function certificateIn(file: string): Promise<X509Certificate> {
  return new X509Certificate(await readFile(file))
}

test('the first start makes an authority for 10 years and a server certificate for every name of the machine', async () => {
  const made = await make(await freshFolder())
  expect(made.made).toBe('authority and server certificate')
  const authority = await certificateIn(made.caFile)
  const server = await certificateIn(made.certFile)
  expect(authority.ca).toBe(true)
  expect(Date.parse(authority.validTo) - Date.now()).toBeGreaterThan(3_649 * DAY_MS)
  expect(server.ca).toBe(false)
  expect(server.checkIssued(authority)).toBe(true)
  expect(server.verify(authority.publicKey)).toBe(true)
  expect(server.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' })
  expect(['localhost', 'broker.test'].map((name) => server.checkHost(name))).toEqual(['localhost', 'broker.test'])
  expect(['127.0.0.1', '::1'].map((name) => server.checkIP(name) !== undefined)).toEqual([true, true])
})

test('keys are readable for their owner only, also when they were not', async () => {
  const folder = await freshFolder()
  const { keyFile } = await make(folder)
  const modes = async (): Promise<number[]> => {
    const names = (await readdir(join(folder, 'tls'))).filter((name) => name.includes('key'))
    return Promise.all(names.map(async (name) => (await stat(join(folder, 'tls', name))).mode & 0o777))
  }
  expect(await modes()).toEqual([0o600, 0o600])
  await chmod(keyFile, 0o644)
  await make(folder)
  expect(await modes()).toEqual([0o600, 0o600])
})

test('the second start keeps everything', async () => {
  const folder = await freshFolder()
  const first = await make(folder)
  const before = await certificateIn(first.certFile)
  const second = await make(folder)
  expect(second.made).toBe('nothing')
  expect((await certificateIn(second.certFile)).fingerprint256).toBe(before.fingerprint256)
})

test('a server certificate close to its end is renewed under the same authority', async () => {
  const folder = await freshFolder()
  const nowMs = Date.now()
  const first = await make(folder, nowMs)
  const authority = await certificateIn(first.caFile)
  expect((await make(folder, first.renewAtMs - DAY_MS)).made).toBe('nothing')
  const renewed = await make(folder, first.renewAtMs + DAY_MS)
  expect(renewed.made).toBe('server certificate')
  expect(renewed.renewAtMs).toBeGreaterThan(first.renewAtMs + 300 * DAY_MS)
  expect((await certificateIn(renewed.caFile)).fingerprint256).toBe(authority.fingerprint256)
  expect((await certificateIn(renewed.certFile)).verify(authority.publicKey)).toBe(true)
})

test('an authority close to its end is replaced together with what it signed', async () => {
  const folder = await freshFolder()
  await make(folder)
  const later = await make(folder, Date.now() + 3_640 * DAY_MS)
  expect(later.made).toBe('authority and server certificate')
})

test('another name of the machine makes a new server certificate', async () => {
  const folder = await freshFolder()
  await make(folder)
  const renamed = await make(folder, Date.now(), ['other.test'])
  expect(renamed.made).toBe('server certificate')
  expect((await certificateIn(renamed.certFile)).checkHost('other.test')).toBe('other.test')
})

test('a machine name that no certificate can hold is left out, and does not cause renewal', async () => {
  const folder = await freshFolder()
  await make(folder, Date.now(), ['not a name', ''])
  expect((await make(folder, Date.now(), ['not a name', ''])).made).toBe('nothing')
})

test.each(['server.pem', 'server-key.pem'])('a broken or missing %s is made anew', async (name) => {
  const folder = await freshFolder()
  await make(folder)
  await writeFile(join(folder, 'tls', name), 'broken')
  expect((await make(folder)).made).toBe('server certificate')
  await unlink(join(folder, 'tls', name))
  expect((await make(folder)).made).toBe('server certificate')
})

test('a certificate and a key that do not belong together are named', async () => {
  const one = await make(await freshFolder())
  const other = await make(await freshFolder())
  const error: unknown = await readCertificate({ certFile: one.certFile, keyFile: other.keyFile }).catch(
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(TransportError)
  expect((error as TransportError).message).toBe(
    `the private key in ${other.keyFile} does not belong to the certificate in ${one.certFile}`,
  )
})

test('an unreadable, a broken and an encrypted file are each named with what is wrong', async () => {
  const folder = await freshFolder()
  const { certFile, keyFile } = await make(folder)
  const missing = join(folder, 'missing.pem')
  const broken = join(folder, 'broken.pem')
  await writeFile(broken, 'no PEM')
  await expect(readCertificate({ certFile: missing, keyFile })).rejects.toThrow(
    `cannot read the certificate ${missing}: ENOENT`,
  )
  await expect(readCertificate({ certFile: broken, keyFile })).rejects.toThrow(`${broken} is not a PEM certificate`)
  await expect(readCertificate({ certFile, keyFile: broken })).rejects.toThrow(
    `${broken} is not an unencrypted PEM private key`,
  )
  const files = { certFile, keyFile, clientCaFile: broken }
  await expect(readCertificate(files)).rejects.toThrow(`${broken} is not a PEM certificate`)
})

test('what is no file or too long is refused before anything is read of it', async () => {
  const folder = await freshFolder()
  const { certFile, keyFile } = await make(folder)
  const [pipe, long] = [join(folder, 'pipe.pem'), join(folder, 'long.pem')]
  execFileSync('mkfifo', [pipe])
  await writeFile(long, '')
  await truncate(long, 1_048_577)
  await expect(readCertificate({ certFile: pipe, keyFile })).rejects.toThrow(
    `cannot read the certificate ${pipe}: it is not a file`,
  )
  await expect(readCertificate({ certFile, keyFile: folder })).rejects.toThrow(
    `cannot read the private key ${folder}: it is not a file`,
  )
  await expect(readCertificate({ certFile, keyFile: long })).rejects.toThrow(
    `cannot read the private key ${long}: it has 1048577 bytes, 1048576 are the limit`,
  )
})

test('of files that are all missing the certificate is named, each time', async () => {
  const folder = await freshFolder()
  const [certFile, keyFile, clientCaFile] = ['cert.pem', 'key.pem', 'ca.pem'].map((name) => join(folder, name))
  const files = { certFile: certFile!, keyFile: keyFile!, clientCaFile: clientCaFile! }
  for (let round = 0; round < 100; round++) {
    await expect(readCertificate(files)).rejects.toThrow(`cannot read the certificate ${certFile}: ENOENT`)
  }
})

/** Watches the files of `folder`/live and remembers what it was told. */
class Watching {
  readonly clock = new SteppedClock()
  readonly changes: ServerCertificate[] = []
  readonly broken: string[] = []
  mendedCount = 0

  onChange(certificate: ServerCertificate): void {
    this.changes.push(certificate)
  }

  onBroken(text: string): void {
    this.broken.push(text)
  }

  onMended(): void {
    this.mendedCount++
  }

  /** Lets the watcher look until `isTrue`. */
  async until(isTrue: () => boolean): Promise<void> {
    while (!isTrue()) {
      await turn()
      this.clock.advance(200)
    }
  }
}

async function watched(): Promise<{ folder: string; certFile: string; keyFile: string; watching: Watching }> {
  const folder = await freshFolder()
  const { certFile, keyFile } = await make(folder)
  const watching = new Watching()
  onTestFinished(watchCertificate({ certFile, keyFile }, await readCertificate({ certFile, keyFile }), watching))
  return { folder, certFile, keyFile, watching }
}

test('a certificate replaced by rename is picked up once', async () => {
  const { certFile, keyFile, watching } = await watched()
  const other = await make(await freshFolder())
  await rename(other.keyFile, keyFile)
  await rename(other.certFile, certFile)
  await watching.until(() => watching.changes.length > 0)
  expect(watching.changes).toEqual([await readCertificate({ certFile, keyFile })])
  watching.clock.advance(120_000)
  for (let i = 0; i < 50; i++) await turn()
  expect(watching.changes.length).toBe(1)
})

test('a broken certificate is told once, and a good one after it is taken', async () => {
  const { certFile, watching } = await watched()
  const good = await readCertificate({ certFile, keyFile: certFile.replace('server.pem', 'server-key.pem') })
  await writeFile(certFile, 'half a certif')
  await watching.until(() => watching.broken.length > 0)
  expect(watching.broken[0]).toContain(`${certFile} is not a PEM certificate`)
  watching.clock.advance(120_000)
  for (let i = 0; i < 50; i++) await turn()
  expect(watching.broken.length).toBe(1)
  expect(watching.changes.length).toBe(0)
  await writeFile(certFile, Buffer.concat([good.cert, Buffer.from('\n')]))
  await watching.until(() => watching.changes.length > 0)
  expect(watching.broken.length).toBe(1)
})

test('a broken certificate that is put back as it was is told to be mended, once', async () => {
  const { certFile, watching } = await watched()
  const used = await readFile(certFile)
  await writeFile(certFile, 'half a certif')
  await watching.until(() => watching.broken.length > 0)
  await writeFile(certFile, used)
  await watching.until(() => watching.mendedCount > 0)
  watching.clock.advance(120_000)
  for (let i = 0; i < 50; i++) await turn()
  expect(watching).toMatchObject({ mendedCount: 1, changes: [] })
})

test('a folder swapped by a symbolic link, as Kubernetes does, is noticed', async () => {
  const folder = await freshFolder()
  const [one, two] = [await make(join(folder, 'one')), await make(join(folder, 'two'))]
  await symlink(join(folder, 'one', 'tls'), join(folder, '..data'))
  await mkdir(join(folder, 'live'))
  const files = { certFile: join(folder, 'live', 'server.pem'), keyFile: join(folder, 'live', 'server-key.pem') }
  await symlink(join('..', '..data', 'server.pem'), files.certFile)
  await symlink(join('..', '..data', 'server-key.pem'), files.keyFile)
  expect(await readCertificate(files)).toEqual(await readCertificate(one))
  const watching = new Watching()
  onTestFinished(watchCertificate(files, await readCertificate(files), watching))
  await symlink(join(folder, 'two', 'tls'), join(folder, '..data_next'))
  await rename(join(folder, '..data_next'), join(folder, '..data'))
  await watching.until(() => watching.changes.length > 0) // nothing in 'live' itself changed: polling finds it
  expect(watching.changes[0]).toEqual(await readCertificate(two))
})

test('a watch that was stopped tells nothing more and keeps no timer', async () => {
  const folder = await freshFolder()
  const { certFile, keyFile } = await make(folder)
  const watching = new Watching()
  const stop = watchCertificate({ certFile, keyFile }, await readCertificate({ certFile, keyFile }), watching)
  await writeFile(certFile, 'broken')
  stop()
  stop()
  watching.clock.advance(120_000)
  for (let i = 0; i < 50; i++) await turn()
  expect(watching.broken).toEqual([])
  expect(watching.clock.timerCount).toBe(0)
})
