/** Certificates of the broker and of its clients, over real TLS. */
import { developmentCertificates, type DevelopmentCertificates } from '@ternmq/transport'
import { X509Certificate } from 'node:crypto'
import { copyFileSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { describe, expect, test } from 'vitest'

import { clientCertificate } from './client-certificate.ts'
import { client, newFolder, refusalOf, start, type Started, ternmq, until } from './support.ts'

function newCertificates(): Promise<DevelopmentCertificates> {
  return developmentCertificates({ folder: newFolder(), names: [], nowMs: Date.now() })
}

/** As a whole: the broker may look at any moment, and would find one that is half written. */
function replace(file: string, by: string): void {
  copyFileSync(by, `${file}.next`)
  renameSync(`${file}.next`, file)
}

function fingerprintOf(file: string): string {
  return new X509Certificate(readFileSync(file)).fingerprint256
}

/** Fingerprint of the certificate that the broker shows to a new connection. */
async function shownBy(port: number): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
  await new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve)
    socket.once('error', reject)
  })
  const { fingerprint256 } = socket.getPeerCertificate()
  socket.end()
  return fingerprint256
}

async function audited(broker: Started): Promise<readonly string[]> {
  const args = ['audit', '--action', 'certificate.change', '--json', '--data-dir', broker.dataDir]
  return (await ternmq(args)).stdout
}

describe('a certificate that is replaced on disk', () => {
  test.each([
    ['mqtts', 'mqtts'],
    ['wss', 'wss'],
    ['any', 'mqtts'],
  ])('is shown by %s without a restart, and connections that exist stay', async (name, scheme) => {
    const used = await newCertificates()
    const next = await newCertificates()
    const settings = [`listeners.${name}.tls.cert=${used.certFile}`, `listeners.${name}.tls.key=${used.keyFile}`]
    const broker = await start({ listeners: [name], settings })
    const port = broker.port(name)
    const before = await client(`${scheme}://localhost:${port}`, { ca: readFileSync(used.caFile) })
    expect(await shownBy(port)).toBe(fingerprintOf(used.certFile))

    replace(used.keyFile, next.keyFile)
    replace(used.certFile, next.certFile)
    const wanted = fingerprintOf(next.certFile)
    await until('the new certificate', async () => (await shownBy(port)) === wanted)
    await before.publishAsync('still', 'there', { qos: 1 })
    await client(`${scheme}://localhost:${port}`, { ca: readFileSync(next.caFile) })
    expect(await audited(broker)).toContainEqual(expect.stringMatching(/"done".*another certificate, valid until 20/))
  })

  test('is not taken while it is broken: the log and an alarm say so, and the old one stays until it is mended', async () => {
    const used = await newCertificates()
    const settings = [`listeners.mqtts.tls.cert=${used.certFile}`, `listeners.mqtts.tls.key=${used.keyFile}`]
    const broker = await start({ listeners: ['mqtts'], settings })
    const wanted = fingerprintOf(used.certFile)
    const good = join(newFolder(), 'good.pem')
    copyFileSync(used.certFile, good)
    replace(used.certFile, used.caFile)
    const line = await broker.program.untilLine('listener mqtts keeps its certificate')
    expect(line).toContain(`the private key in ${used.keyFile} does not belong to the certificate in ${used.certFile}`)
    expect(await shownBy(broker.port('mqtts'))).toBe(wanted)
    const alarms = async (): Promise<string> => {
      const { stdout } = await ternmq(['status', '--data-dir', broker.dataDir])
      return stdout.filter((each) => each.startsWith('warning')).join('\n')
    }
    expect(await alarms()).toContain(`Listener mqtts keeps its old certificate: the private key in ${used.keyFile} `)
    replace(used.certFile, good)
    await broker.program.untilLine('the files of the certificate of listener mqtts are good again')
    expect(await alarms()).not.toContain('certificate')
    expect(await audited(broker)).toEqual([expect.stringMatching(/"listener mqtts".*"failed".*does not belong/)])
  })
})

test('the development certificate is the same after a restart, so that clients go on trusting it', async () => {
  const first = await start({ listeners: ['mqtts'] })
  const shown = await shownBy(first.port('mqtts'))
  await first.program.stop('SIGTERM')
  const second = await start({ listeners: ['mqtts'], dataDir: first.dataDir })
  expect(await shownBy(second.port('mqtts'))).toBe(shown)
})

describe('client certificates', () => {
  async function startWith(
    ca: DevelopmentCertificates,
    ...tls: string[]
  ): Promise<{ broker: Started; url: string; trust: Buffer }> {
    const settings = [`ca=${ca.caFile}`, ...tls].map((setting) => `listeners.mqtts.tls.${setting}`)
    const broker = await start({ listeners: ['mqtts'], settings })
    const trust = readFileSync(join(broker.dataDir, 'certificates', 'ca.pem'))
    return { broker, url: `mqtts://localhost:${broker.port('mqtts')}`, trust }
  }

  test('`require` lets nobody in without one that the authority signed', async () => {
    const ca = await newCertificates()
    const { url, trust } = await startWith(ca, 'clientCertificate=require')
    await client(url, { ca: trust, ...clientCertificate(ca, 'alice') })
    expect(await refusalOf(url, { ca: trust })).not.toBe('accepted')
    expect(await refusalOf(url, { ca: trust, ...clientCertificate(await newCertificates(), 'alice') })).not.toBe(
      'accepted',
    )
  })

  test('a certificate stands for a user where it is mapped, and for nobody else', async () => {
    const ca = await newCertificates()
    const { broker, url, trust } = await startWith(ca, 'clientCertificate=request', 'identity=cn')
    await ternmq(['users', 'add', 'alice', '--no-password', '--data-dir', broker.dataDir])
    await client(url, { ca: trust, clientId: 'of-alice', ...clientCertificate(ca, 'alice') })
    expect(await refusalOf(url, { ca: trust, clientId: 'of-bob', ...clientCertificate(ca, 'bob') })).toContain(
      'Not authorized',
    )
    // Without a certificate one is who one says: here, on loopback, anonymous.
    await client(url, { ca: trust })
    // The session is alice's: another user cannot take it over.
    expect(await refusalOf(url, { ca: trust, clientId: 'of-alice' })).not.toBe('accepted')
  })

  test('`identityMustBeUser=false` lets in everybody whom the authority vouches for', async () => {
    const ca = await newCertificates()
    const { url, trust } = await startWith(ca, 'clientCertificate=require', 'identity=cn', 'identityMustBeUser=false')
    expect(await refusalOf(url, { ca: trust, ...clientCertificate(ca, 'device-17') })).toBe('accepted')
  })
})
