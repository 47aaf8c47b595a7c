import { loadConfig } from '@ternmq/config'
import { developmentCertificates, realEnv } from '@ternmq/transport'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'

import { Certificates } from './certificates.ts'
import { silentLog } from '../reports/log.ts'

test.each(['listeners.mqtts', 'console'])(
  'a file of %s that cannot be used is told with its setting',
  async (section) => {
    const folder = mkdtempSync(join(tmpdir(), 'ternmq-certificates-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const file = join(folder, 'broken.pem')
    writeFileSync(file, 'no PEM')
    const sets = [`${section}.enabled=true`, `${section}.tls.cert=${file}`, `${section}.tls.key=${file}`]
    if (section === 'console') sets.push('console.tls.enabled=true')
    const loaded = loadConfig({ sets })
    if (!loaded.ok) throw new Error(loaded.errors.join())
    const opened = Certificates.open(loaded.config, {
      folder,
      clock: realEnv().clock,
      log: silentLog,
      audit: { record: () => {} },
    })
    await expect(opened).rejects.toMatchObject({
      code: 'CERTIFICATE_INVALID',
      message: expect.stringContaining(`${section}.tls: ${file} is not a PEM certificate`) as string,
    })
  },
)

test('a certificate that has ended is used, and the log says so', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ternmq-certificates-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const { certFile, keyFile } = await developmentCertificates({ folder, names: [], nowMs: Date.UTC(2020, 0, 1) })
  const loaded = loadConfig({ sets: [`listeners.mqtts.tls.cert=${certFile}`, `listeners.mqtts.tls.key=${keyFile}`] })
  if (!loaded.ok) throw new Error(loaded.errors.join())
  const warnings: string[] = []
  const log = { ...silentLog, warn: (_: object, text: string) => void warnings.push(text) }
  const certificates = await Certificates.open(loaded.config, {
    folder: join(folder, 'made'),
    clock: realEnv().clock,
    log,
    audit: { record: () => {} },
  })
  onTestFinished(() => certificates.close())
  expect(certificates.for('mqtts').cert.toString()).toContain('BEGIN CERTIFICATE')
  expect(warnings).toEqual([expect.stringContaining(`listener mqtts, ${certFile}, ended on 2021-`)])
})
