/** Certificates that clients show, for the tests of this folder. */
import type { DevelopmentCertificates } from '@ternmq/transport'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { newFolder } from './support.ts'

/** A certificate for `name`, signed by the authority in `ca`. */
export function clientCertificate(ca: DevelopmentCertificates, name: string): { cert: Buffer; key: Buffer } {
  const folder = newFolder()
  const key = join(folder, 'key.pem')
  const cert = join(folder, 'cert.pem')
  const authority = ['-CA', ca.caFile, '-CAkey', join(ca.caFile, '..', 'ca-key.pem')]
  const request = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-noenc',
    '-subj',
    `/CN=${name}`,
  ]
  const extensions = ['-addext', 'extendedKeyUsage=clientAuth', '-addext', 'basicConstraints=critical,CA:FALSE']
  execFileSync('openssl', [...request, ...authority, ...extensions, '-days', '2', '-keyout', key, '-out', cert], {
    stdio: 'pipe',
  })
  return { cert: readFileSync(cert), key: readFileSync(key) }
}
