/** `ternmq store …`: looks at the journal of a data directory, checks it, copies it and puts a copy back. */
import {
  backupStore as backupCall,
  getStore,
  getStoreReport,
  listQueues,
  PAGE_LIMIT_MAX,
  type StoreReport,
} from '@ternmq/api'
import type { BrokerConfig } from '@ternmq/config'
import {
  backupStore,
  faultText,
  inspectStore,
  restoreStore,
  type VerifyReport,
  verifyStore,
} from '@ternmq/store/journal'
import { nodeDisk } from '@ternmq/store/node-disk'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { assertOutside } from '../storage/backup-target.ts'
import { command, type Noun } from '../cli/command.ts'
import { configOf } from '../cli/configuration.ts'
import { type ConnectionInput, urlOf } from '../cli/connection.ts'
import { several, sizeText } from '../cli/format.ts'
import { inBrokerOrOffline, whileLocked } from '../cli/in-broker-or-offline.ts'
import { printJson, printLines, tableWidth } from '../cli/output.ts'
import { withProgress } from '../cli/progress.ts'
import { complain } from '../process/console-io.ts'
import { pathsOf } from '../process/data-dir.ts'
import { folderBytes } from '../process/folder-bytes.ts'
import { BrokerError, messageOf } from '../errors.ts'
import { queueLines, reportLines, type ShownQueues } from './store-report.ts'

const ABOUT = `Without DIRECTORY it looks at the journal of the data directory; with one, at a backup. Users and certificates are files of their
own beside the journal and not in a backup.`

export const store: Noun = {
  name: 'store',
  summary: 'messages and sessions on disk: inspect, verify, backup, restore',
  commands: [
    command({
      verb: 'inspect',
      args: '[DIRECTORY]',
      summary: 'what there is: files, ranges, live bytes; of a broker that runs also the queues, the fullest first',
      detail: ABOUT,
      json: 'document',
      asks: 'broker',
      run: async (input) => {
        const [directory] = input.args
        const { folder, report, queues } =
          directory === undefined ? await inspectData(input) : await inspectFolder(resolve(directory))
        if (input.values.json === true) printJson(input.io, { ...report, ...queues })
        else {
          const lines = reportLines(folder, report)
          // A backup has no broker.
          if (directory === undefined) lines.push(...queueLines(queues, tableWidth(input.io)))
          printLines(input.io, lines)
        }
        return 0
      },
    }),
    command({
      verb: 'verify',
      args: '[DIRECTORY]',
      summary: 'reads everything and checks every checksum; ends with 1 and says file and byte of each damage',
      detail: ABOUT,
      json: 'document',
      asks: 'config',
      run: async (input) => {
        const { args, values, io } = input
        const directory = args[0] === undefined ? undefined : resolve(args[0])
        const config = configOf(input)
        const folder = journalToRead(config, directory)
        const check = (): Promise<VerifyReport> => naming(folder, verifyStore(nodeDisk(folder)))
        const report = await (directory === undefined ? verifyInDataDir(config, check) : check())
        const { bytes, records, hasManifest, faults } = report
        if (values.json === true) printJson(io, { bytes, records, hasManifest, faults })
        else if (faults.length === 0) {
          const whole = hasManifest ? ', and all of the backup is there' : ''
          printLines(io, [
            `${folder}: ${several(records, 'record')} in ${sizeText(bytes)}, every checksum is right${whole}`,
          ])
        }
        if (directory !== undefined && !hasManifest) {
          complain(io, [
            'warning: it has no manifest, so it is no backup, or one of the first versions: whether its end is there cannot be told',
          ])
        }
        complain(
          io,
          faults.map((fault) => `damage: ${faultText(fault)}`),
        )
        return faults.length === 0 ? 0 : 1
      },
    }),
    command({
      verb: 'backup',
      args: 'DIRECTORY',
      summary: 'a consistent copy in a new or empty directory; also while a broker runs',
      json: 'document',
      asks: 'config',
      run: async (input) => {
        const target = resolve(input.args[0])
        const { dataDir } = configOf(input)
        const folder = journalToRead({ dataDir }, undefined)
        // Made on the machine of the broker, whatever TERNMQ_URL says.
        const here = { ...input, values: { ...input.values, 'data-dir': dataDir } }
        const total = await folderBytes(folder)
        const made = await withProgress(
          { io: input.io, text: `copying ${folder}`, unit: 'bytes', total, done: () => folderBytes(target) },
          () =>
            inBrokerOrOffline(here, {
              inBroker: (client) => client.call(backupCall, { body: { folder: target } }),
              offline: () => {
                assertOutside(folder, target)
                return naming(folder, backupStore(nodeDisk(folder), nodeDisk(target)))
              },
            }),
        )
        const { files, bytes } = made
        if (input.values.json === true) printJson(input.io, { files, bytes })
        else
          printLines(input.io, [`backup of ${folder} is in ${target}: ${several(files, 'file')}, ${sizeText(bytes)}`])
        return 0
      },
    }),
    command({
      verb: 'restore',
      args: 'DIRECTORY',
      summary: 'puts a backup into a data directory that has no journal yet',
      asks: 'config',
      run: async (input) => {
        const source = resolve(input.args[0])
        if (!existsSync(source))
          throw new BrokerError('STORE_UNUSABLE', `there is no directory ${source} to restore from`)
        const { files, bytes, folder, warning } = await whileLocked(configOf(input), async ({ journalFolder }) => {
          const copied = await naming(journalFolder, restoreStore(nodeDisk(source), nodeDisk(journalFolder)))
          return { ...copied, folder: journalFolder }
        })
        printLines(input.io, [`${source} is restored to ${folder}: ${several(files, 'file')}, ${sizeText(bytes)}`])
        if (warning !== undefined) complain(input.io, [`warning: ${warning}`])
        return 0
      },
    }),
  ],
}

interface Inspected {
  readonly folder: string
  readonly report: StoreReport
  /** Undefined where no broker runs. */
  readonly queues?: ShownQueues
}

async function inspectData(input: ConnectionInput): Promise<Inspected> {
  // Reading must not make a directory.
  if (urlOf(input) === undefined) journalToRead(configOf(input), undefined)
  return inBrokerOrOffline<Inspected>(input, {
    inBroker: async (client) => {
      const report = await client.call(getStoreReport)
      const { folder } = await client.call(getStore)
      const query = { sort: '-readyCount', limit: PAGE_LIMIT_MAX }
      const { items, total = items.length } = await client.call(listQueues, { params: { vhost: '/' }, query })
      return { folder, report, queues: { queues: items, queueCount: total } }
    },
    offline: ({ journalFolder }) => inspectFolder(journalFolder),
  })
}

async function inspectFolder(folder: string): Promise<Inspected> {
  if (!existsSync(folder)) throw missing(`no directory ${folder}`, 'its path')
  return { folder, report: await naming(folder, inspectStore(nodeDisk(folder))) }
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

/** The directory to look at. */
function journalToRead({ dataDir }: Pick<BrokerConfig, 'dataDir'>, directory: string | undefined): string {
  const folder = directory ?? pathsOf(dataDir).journalFolder
  if (existsSync(folder)) return folder
  throw directory === undefined
    ? missing(`no journal in the data directory ${dataDir}`, '--data-dir')
    : missing(`no directory ${directory}`, 'its path')
}

function missing(what: string, how: string): BrokerError {
  return new BrokerError('STORE_UNUSABLE', `there is ${what}; name another with ${how}`)
}

/** The store's errors know files, not where they are. */
async function naming<T>(folder: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (cause) {
    throw new BrokerError('STORE_UNUSABLE', `${folder}: ${messageOf(cause)}`, { cause })
  }
}
