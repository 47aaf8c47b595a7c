import { loadConfig } from '@ternmq/config'
import { realEnv } from '@ternmq/transport'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'

import { Certificates } from './certificates.ts'
import { silentLog } from './log.ts'

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
