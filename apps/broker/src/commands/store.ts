/** `ternmq store …`: looks at the journal of a data directory, checks it, copies it and puts a copy back. */
import { type BrokerConfig, loadConfig } from '@ternmq/config'
import {
  backupStore,
  type CopyReport,
  faultText,
  inspectStore,
  restoreStore,
  type StoreReport,
  type VerifyReport,
  verifyStore,
} from '@ternmq/store/journal'
import { nodeDisk } from '@ternmq/store/node-disk'
import { existsSync, realpathSync } from 'node:fs'
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'

import { inBrokerOrOffline, whileLocked } from '../admin-client.ts'
import { CONFIG_OPTIONS, CONFIG_OPTIONS_HELP, loadOptionsOf, parse } from '../arguments.ts'
import { complain, type ConsoleIo } from '../console-io.ts'
import { pathsOf } from '../data-dir.ts'
import { BrokerError, messageOf, UsageError } from '../errors.ts'
import type { BrokerReport, StoreRequest } from '../store-admin.ts'
import { queueLines, reportLines, sizeText } from '../store-report.ts'

const HELP = `Usage: ternmq store inspect|verify [DIRECTORY] [OPTION…]
       ternmq store backup DIRECTORY [OPTION…]
       ternmq store restore DIRECTORY [OPTION…]

  inspect                what there is: files, ranges, live bytes; of a broker that runs also the queues, and how full they are
  verify                 reads everything and checks every checksum; ends with 1 and says file and byte of each damage
  backup DIRECTORY       a consistent copy in a new or empty directory; also while a broker runs
  restore DIRECTORY      puts a backup into a data directory that has no journal yet

Without DIRECTORY, inspect and verify look at the journal of the data directory; with one, at a backup. Users and certificates
are files of their own beside the journal and not in a backup.

  --json                 inspect, verify: as JSON
${CONFIG_OPTIONS_HELP}
`

/** A large store takes its time to copy. */
const UNTIL_DONE = 0

export async function store(args: readonly string[], io: ConsoleIo): Promise<number> {
  const { values, positionals } = parse(args, { ...CONFIG_OPTIONS, json: { type: 'boolean' } }, 2)
  if (values.help === true) {
    io.stdout.write(HELP)
    return 0
  }
  const [action, given] = positionals
  const directory = given === undefined ? undefined : resolve(given)
  const loaded = loadConfig(loadOptionsOf(values, io))
  if (!loaded.ok) {
    complain(io, loaded.errors)
    return 1
  }
  const { config } = loaded
  const reading = { config, directory, isJson: values.json === true }
  if (action === 'inspect') return inspect(reading, io)
  if (action === 'verify') return verify(reading, io)
  if (action === 'backup' && directory !== undefined) return backup(config, directory, io)
  if (action === 'restore' && directory !== undefined) return restore(config, directory, io)
  throw new UsageError(usageProblem(action))
}

/** What `inspect` and `verify` are told. */
interface Reading {
  readonly config: BrokerConfig
  /** Undefined: the journal of the data directory. */
  readonly directory: string | undefined
  readonly isJson: boolean
}

async function inspect({ config, directory, isJson }: Reading, io: ConsoleIo): Promise<number> {
  const folder = journalToRead(config, directory)
  const look = (): Promise<StoreReport & Partial<BrokerReport>> => naming(folder, inspectStore(nodeDisk(folder)))
  const request = { op: 'store.inspect' } satisfies StoreRequest
  const report = await (directory === undefined ? inBrokerOrOffline(config, request, look) : look())
  if (isJson) io.stdout.write(`${JSON.stringify(report, null, 2)}\n`)
  else {
    // A backup has no broker.
    const queues = directory === undefined ? queueLines(report) : []
    for (const line of [...reportLines(folder, report), ...queues]) io.stdout.write(`${line}\n`)
  }
  return 0
}

async function verify({ config, directory, isJson }: Reading, io: ConsoleIo): Promise<number> {
  const folder = journalToRead(config, directory)
  const check = (): Promise<VerifyReport> => naming(folder, verifyStore(nodeDisk(folder)))
  const report = await (directory === undefined ? verifyInDataDir(config, check) : check())
  const { bytes, records, hasManifest, faults } = report
  if (isJson) io.stdout.write(`${JSON.stringify({ bytes, records, hasManifest, faults }, null, 2)}\n`)
  else if (faults.length === 0) {
    const whole = hasManifest ? ', and all of the backup is there' : ''
    io.stdout.write(`${folder}: ${records} records in ${sizeText(bytes)}, every checksum is right${whole}\n`)
  }
  if (directory !== undefined && !hasManifest) {
    complain(io, ['warning: it has no manifest, so it is no backup, or one of the first versions: whether its end is there cannot be told'])
  }
  complain(
    io,
    faults.map((fault) => `damage: ${faultText(fault)}`),
  )
  return faults.length === 0 ? 0 : 1
}

/** Reading everything while a broker writes it would find damage where there is none. */
async function verifyInDataDir(config: BrokerConfig, check: () => Promise<VerifyReport>): Promise<VerifyReport> {
  try {
    return await whileLocked(config, check)
  } catch (cause) {
    if (!(cause instanceof BrokerError) || cause.code !== 'DATA_DIR_IN_USE') throw cause
    const text =
      `${cause.message.split(';', 1)[0]!}, and only what stands still can be verified: make a copy with \`ternmq store backup DIR\`, ` +
      'then `ternmq store verify DIR`; or stop the broker first'
    throw new BrokerError('DATA_DIR_IN_USE', text, { cause })
  }
}

async function backup(config: BrokerConfig, target: string, io: ConsoleIo): Promise<number> {
  const folder = journalToRead(config, undefined)
  assertOutside(folder, target)
  const copy = (): Promise<CopyReport> => naming(folder, backupStore(nodeDisk(folder), nodeDisk(target)))
  const request = { op: 'store.backup', target } satisfies StoreRequest
  const { files, bytes } = await inBrokerOrOffline(config, request, copy, UNTIL_DONE)
  io.stdout.write(`backup of ${folder} is in ${target}: ${files} files, ${sizeText(bytes)}\n`)
  return 0
}

async function restore(config: BrokerConfig, source: string, io: ConsoleIo): Promise<number> {
  if (!existsSync(source)) throw new BrokerError('STORE_UNUSABLE', `there is no directory ${source} to restore from`)
  const { files, bytes, folder, warning } = await whileLocked(config, async ({ journalFolder }) => {
    const copied = await naming(journalFolder, restoreStore(nodeDisk(source), nodeDisk(journalFolder)))
    return { ...copied, folder: journalFolder }
  })
  io.stdout.write(`${source} is restored to ${folder}: ${files} files, ${sizeText(bytes)}\n`)
  if (warning !== undefined) complain(io, [`warning: ${warning}`])
  return 0
}

/** A copy inside the store would be a file that is not the store's, and stop its next start. */
function assertOutside(folder: string, target: string): void {
  const inside = relative(realpathSync(folder), realPathOf(target))
  if (inside.split(sep, 1)[0] === '..' || isAbsolute(inside)) return
  throw new BrokerError(
    'STORE_UNUSABLE',
    `${target} is inside the journal ${folder}, which has its directory to itself: name a directory outside of it`,
  )
}

/** Without links, also of what is not there yet. */
function realPathOf(path: string): string {
  if (existsSync(path)) return realpathSync(path)
  return join(realPathOf(dirname(path)), basename(path))
}

/** The directory to look at. Reading must not make one. */
function journalToRead(config: BrokerConfig, directory: string | undefined): string {
  const folder = directory ?? pathsOf(config.dataDir).journalFolder
  if (existsSync(folder)) return folder
  const what =
    directory === undefined ? `no journal in the data directory ${config.dataDir}` : `no directory ${directory}`
  throw new BrokerError(
    'STORE_UNUSABLE',
    `there is ${what}; name another with ${directory === undefined ? '--data-dir' : 'its path'}`,
  )
}

/** The store's errors know files, not where they are. */
async function naming<T>(folder: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (cause) {
    throw new BrokerError('STORE_UNUSABLE', `${folder}: ${messageOf(cause)}`, { cause })
  }
}

function usageProblem(action: string | undefined): string {
  if (action === undefined) return 'what about the store? inspect, verify, backup or restore'
  if (action === 'backup' || action === 'restore') return `\`store ${action}\` needs a directory`
  return `there is no \`store ${action}\`; there are inspect, verify, backup and restore`
}
