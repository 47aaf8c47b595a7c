import { developmentCertificates } from '@ternmq/transport'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { expect, onTestFinished, test } from 'vitest'

import { startBroker } from './embed.ts'

/** Of the certificate that is shown at the port. */
function fingerprintAt(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().fingerprint256)
      socket.destroy()
    })
    socket.on('error', reject)
  })
}

test('a new certificate is shown by the console from a reload on', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ternmq-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const make = (name: string) => developmentCertificates({ folder: join(folder, name), names: [], nowMs: Date.now() })
  const [first, second] = [await make('a'), await make('b')]
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  const put = ({ certFile, keyFile }: typeof first): void => {
    copyFileSync(certFile, cert)
    copyFileSync(keyFile, key)
  }
  put(first)
  const config = { console: { enabled: true, port: 0, tls: { enabled: true, cert, key } } }
  await using broker = await startBroker({ config, adminPassword: 'of this test' })
  const port = broker.console!.port
  const before = await fingerprintAt(port)
  put(second)
  await broker.reload(config)
  expect(await fingerprintAt(port)).not.toBe(before)
})
