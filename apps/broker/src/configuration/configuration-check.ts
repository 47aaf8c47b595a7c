/** Whether a broker would start with a configuration: its settings, the files that it names, and who could log in. Nothing is opened or made. */
import { FileUserStore, RuleAuthorizer } from '@ternmq/auth'
import {
  type BrokerConfig,
  changedSettings,
  checkExposure,
  listenersOf,
  type LoadResult,
  settings,
} from '@ternmq/config'
import { X509Certificate } from 'node:crypto'

import { pathsOf } from '../process/data-dir.ts'
import { messageOf } from '../errors.ts'
import { readNamed, type ReadCertificate, type Secured, securedBy, termProblem } from '../listeners/secured.ts'

export interface CheckedListener {
  /** As in the configuration, or `console`. */
  readonly name: Secured
  readonly host: string
  readonly port: number
}

export interface CheckedCertificate {
  readonly name: Secured
  readonly file: string
  /** Unix ms. */
  readonly notAfterMs: number
}

export interface ConfigurationReport {
  readonly ok: boolean
  /** One sentence each. */
  readonly errors: readonly string[]
  readonly warnings: readonly string[]
  /** Keys of what has another value than the default. */
  readonly changed: readonly string[]
  readonly settingsCount: number
  /** Those that would be opened. */
  readonly listeners: readonly CheckedListener[]
  /** Of files that the configuration names. */
  readonly certificates: readonly CheckedCertificate[]
  /** What has TLS and no such file: it gets a certificate for development, which the start makes. */
  readonly developmentFor: readonly Secured[]
  readonly dataDir: string
  /** In the data directory. */
  readonly userCount: number
}

const settingsCount: number = settings.size

/** Never rejects for what is wrong with the configuration. `nowMs` in Unix ms. */
export async function checkConfiguration(loaded: LoadResult, nowMs: number): Promise<ConfigurationReport> {
  const { warnings } = loaded
  if (!loaded.ok) {
    const nothing = { changed: [], listeners: [], certificates: [], developmentFor: [], dataDir: '', userCount: 0 }
    return { ok: false, errors: loaded.errors, warnings, settingsCount, ...nothing }
  }
  const { config, sources } = loaded
  const files = await checkFiles(config, nowMs)
  const errors = [...rulesThatCannotBe(config), ...files.errors]
  const userCount = await countUsers(config, errors)
  // A first start makes somebody who can log in, where there is a console for him.
  errors.push(...checkExposure(config, { userCount: config.console.enabled ? Math.max(1, userCount) : userCount }))
  return {
    ok: errors.length === 0,
    errors,
    warnings: [...warnings, ...files.warnings],
    changed: changedSettings(config, sources),
    settingsCount,
    listeners: openedBy(config),
    certificates: files.certificates,
    developmentFor: securedBy(config).flatMap(({ name, tls }) => (tls.cert === undefined ? [name] : [])),
    dataDir: config.dataDir,
    userCount,
  }
}

function rulesThatCannotBe({ auth }: BrokerConfig): string[] {
  try {
    new RuleAuthorizer(auth, 'auth', () => []).checkConfig(auth)
    return []
  } catch (error) {
    return [messageOf(error)]
  }
}

interface CheckedFiles {
  readonly errors: readonly string[]
  readonly warnings: readonly string[]
  readonly certificates: readonly CheckedCertificate[]
}

async function checkFiles(config: BrokerConfig, nowMs: number): Promise<CheckedFiles> {
  const results = await Promise.allSettled(securedBy(config).map((each) => readNamed(each)))
  const read = results.flatMap((each) => (each.status === 'fulfilled' && each.value !== undefined ? [each.value] : []))
  const problems = read.flatMap((each) => termProblem(each, nowMs) ?? [])
  const unusable = results.flatMap((each) => (each.status === 'rejected' ? [messageOf(each.reason)] : []))
  return {
    errors: [...unusable, ...problems.flatMap(({ isUnusable, text }) => (isUnusable ? [text] : []))],
    warnings: problems.flatMap(({ isUnusable, text }) => (isUnusable ? [] : [text])),
    certificates: read.map(certificateOf),
  }
}

function certificateOf({ name, files, certificate }: ReadCertificate): CheckedCertificate {
  const notAfterMs = new X509Certificate(certificate.cert).validToDate.getTime()
  return { name, file: files.certFile, notAfterMs }
}

/** Of the data directory; one that is not there yet has none. */
async function countUsers({ dataDir }: BrokerConfig, errors: string[]): Promise<number> {
  try {
    return (await FileUserStore.open(pathsOf(dataDir).usersFile)).list().length
  } catch (error) {
    errors.push(messageOf(error))
    return 0
  }
}

function openedBy(config: BrokerConfig): CheckedListener[] {
  const opened = listenersOf(config).flatMap(([name, { enabled, host, port }]): CheckedListener[] =>
    enabled ? [{ name, host, port }] : [],
  )
  const { enabled, host, port } = config.console
  return enabled ? [...opened, { name: 'console', host, port }] : opened
}
