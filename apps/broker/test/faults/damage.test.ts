/**
 * Bits that flip and files that go while a broker is stopped: what is damaged is found and named, the rest is served, and a directory that
 * is not safe to run on is refused as it is.
 */
import { createHash } from 'node:crypto'
import {
  closeSync,
  cpSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { SeededRandom } from '@ternmq/testkit'
import { describe, expect, test } from 'vitest'

import { client, newFolder, start, type Started, ternmq, until } from '../support.ts'

const QUEUE = '$queue/orders'
const COUNT = 60
const BODY_BYTES = 40_000
const FLIPS = 4
/** What stands before a small message in its segment. */
const FRAME_BYTES_MAX = 300
/** Several files, with the smallest segments there may be. */
const SETTINGS = ['store.segmentBytes=1048576']
const TAIL = ['tail 0', 'tail 1', 'tail 2']
const ORDERS = Array.from({ length: COUNT }, (_, number) => `order ${number}`)
const ALL = [...ORDERS, ...TAIL]

/** A data directory with a queue in several segments, of a broker that ended by `signal`. */
async function filled(signal: 'SIGTERM' | 'SIGKILL'): Promise<string> {
  const broker = await start({ settings: SETTINGS })
  const publisher = await client(urlOf(broker))
  await Promise.all(ORDERS.map((name) => publisher.publishAsync(QUEUE, `${name} `.padEnd(BODY_BYTES, '.'), { qos: 1 })))
  // What one write brought cannot be told from a torn one after a kill, unless a later write follows.
  for (const name of TAIL) await publisher.publishAsync(QUEUE, name, { qos: 1 })
  await broker.program.stop(signal)
  return broker.dataDir
}

function urlOf(broker: Started): string {
  return `mqtt://127.0.0.1:${broker.port('mqtt')}`
}

/** A copy that may be damaged. */
function copyOf(dataDir: string): string {
  const copy = join(newFolder(), 'data')
  cpSync(dataDir, copy, { recursive: true })
  return copy
}

/** Everything in the queue, in order. */
async function namesIn(broker: Started): Promise<string[]> {
  const names: string[] = []
  const taking = await client(urlOf(broker))
  taking.on('message', (_: string, body: Buffer) => {
    names.push(body.toString('latin1', 0, 40).replace(/ \.*$/, ''))
  })
  await taking.subscribeAsync(QUEUE, { qos: 1 })
  await taking.publishAsync(QUEUE, 'the last', { qos: 1 })
  await until('the last', () => names.at(-1) === 'the last')
  return names.slice(0, -1)
}

/** A line of its log may come later than a message does. */
async function untilTold(broker: Started, text: string): Promise<void> {
  await until(text, () => broker.program.lines.some((line) => line.includes(text)))
}

/** Paths of the journal's own files, from its folder. */
function filesOf(journal: string): string[] {
  return readdirSync(journal, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(?:seg|snap|cat)$/.test(file) && statSync(join(journal, file)).size > 0)
    .toSorted()
}

function flip(file: string, offset: number, bit: number): void {
  const fd = openSync(file, 'r+')
  const byte = Buffer.alloc(1)
  readSync(fd, byte, 0, 1, offset)
  byte[0]! ^= 1 << bit
  writeSync(fd, byte, 0, 1, offset)
  closeSync(fd)
}

function bytesBeforeTail(file: string): number {
  const bytes = readFileSync(file)
  const at = bytes.indexOf(TAIL[0]!)
  return at < 0 ? bytes.length : at - FRAME_BYTES_MAX
}

/** Names and contents of all files below, but for those that say who has the directory. */
function fingerprint(folder: string): string {
  const hash = createHash('sha256')
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted()) {
    if (/(?:^|\/)lock(?:\.owner)?$/.test(file) || file.endsWith('.sock')) continue
    hash.update(`${file}\n`)
    if (statSync(join(folder, file)).isFile()) hash.update(readFileSync(join(folder, file)))
  }
  return hash.digest('hex')
}

/** A broker on the directory, or what it said when it refused. */
function startOrRefusal(dataDir: string): Promise<Started | string> {
  return start({ dataDir, settings: SETTINGS }).catch((error: Error) => error.message)
}

describe('one bit flips anywhere in the journal', () => {
  test.each(['SIGTERM', 'SIGKILL'] as const)(
    'of a broker that ended by %s: it is found by its checksum, told with its file and byte, and the rest is served',
    { timeout: 300_000 },
    async (signal) => {
      const dataDir = await filled(signal)
      const random = new SeededRandom(signal.length)
      const files = filesOf(join(dataDir, 'journal')).filter((file) => file.endsWith('.seg'))
      expect(files.length).toBeGreaterThan(2)
      for (let count = 0; count < FLIPS; count++) {
        const copy = copyOf(dataDir)
        const file = files[random.below(files.length)] ?? ''
        const path = join(copy, 'journal', file)
        const offset = random.below(bytesBeforeTail(path))
        flip(path, offset, random.below(8))
        const where = `bit at byte ${offset} of ${file}`
        const verified = await ternmq(['store', 'verify', '--data-dir', copy])
        const broker = await start({ dataDir: copy, settings: SETTINGS })
        const names = await namesIn(broker)
        const missing = ALL.filter((name) => !names.includes(name))
        expect(names, where).toEqual(ALL.filter((name) => names.includes(name)))
        expect(missing.length, where).toBeLessThanOrEqual(1)
        expect(verified.code, where).toBe(1)
        const [, byte] = new RegExp(`damage: ${file}, byte (\\d+): `).exec(verified.stderr.join('\n')) ?? []
        expect(Number(byte), where).toBeLessThanOrEqual(offset)
        await untilTold(broker, `${file}, byte ${byte}: `)
        await broker.program.stop('SIGKILL')
      }
    },
  )
})

interface Wreck {
  readonly name: string
  /** Spoils the journal in `folder`; returns what the refusal must name. */
  readonly spoil: (folder: string) => RegExp
}

function firstFile(folder: string, suffix: string): string {
  const file = filesOf(folder).find((name) => name.endsWith(suffix))
  if (file === undefined) throw new Error(`no ${suffix} in ${filesOf(folder).join()}`)
  return file
}

const WRECKS: readonly Wreck[] = [
  {
    name: 'whose snapshot has a wrong bit, and whose log does not begin with its first record',
    spoil: (folder) => {
      const file = firstFile(folder, '.snap')
      rmSync(join(folder, firstFile(folder, '.seg')))
      flip(join(folder, file), 100, 3)
      return new RegExp(`${file}: its checksum is wrong.*backup`)
    },
  },
  {
    name: 'from a newer version',
    spoil: (folder) => {
      const marker = readFileSync(join(folder, 'ternmq-journal'), 'utf8')
      writeFileSync(join(folder, 'ternmq-journal'), marker.replace(/format \d+/, 'format 99').replace(/check .*\n/, ''))
      return /99.*newer/i
    },
  },
  {
    name: 'whose name is not readable',
    spoil: (folder) => {
      flip(join(folder, 'ternmq-journal'), 3, 1)
      return /ternmq-journal does not say what it should/
    },
  },
  {
    name: 'without its name',
    spoil: (folder) => {
      rmSync(join(folder, 'ternmq-journal'))
      return /ternmq-journal/
    },
  },
]

describe('a directory that is not safe to run on is refused with what was found, and stays as it is:', () => {
  test.each(WRECKS)('one $name', async ({ spoil }) => {
    const dataDir = await filled('SIGTERM')
    const sentence = spoil(join(dataDir, 'journal'))
    const before = fingerprint(dataDir)
    expect(await startOrRefusal(dataDir)).toMatch(sentence)
    expect(fingerprint(dataDir)).toBe(before)
    const verified = await ternmq(['store', 'verify', '--data-dir', dataDir])
    expect(verified.code).toBe(1)
    expect(fingerprint(dataDir)).toBe(before)
  })

  test('one that another broker has, which goes on', async () => {
    const dataDir = await filled('SIGTERM')
    const first = await start({ dataDir, settings: SETTINGS })
    const before = fingerprint(dataDir)
    expect(await startOrRefusal(dataDir)).toMatch(new RegExp(`is in use by process ${first.ready.pid}; stop it`))
    expect(fingerprint(dataDir)).toBe(before)
    expect(await namesIn(first)).toEqual(ALL)
  })
})

test('a segment that is missing is told, and the rest is served', async () => {
  const dataDir = await filled('SIGKILL')
  const segments = filesOf(join(dataDir, 'journal')).filter((file) => file.endsWith('.seg'))
  const [, gone = '', next = ''] = segments
  rmSync(join(dataDir, 'journal', gone))
  const verified = await ternmq(['store', 'verify', '--data-dir', dataDir])
  expect(verified.code).toBe(1)
  expect(verified.stderr.join('\n')).toContain(`${next}, byte 0: the segment before it is missing`)
  const broker = await start({ dataDir, settings: SETTINGS })
  const names = await namesIn(broker)
  expect(names).toEqual(ALL.filter((name) => names.includes(name)))
  expect(names).toContain(ALL[0])
  expect(names).toContain(ALL.at(-1))
  await untilTold(broker, `${next}, byte 0: the segment before it is missing`)
})

test('messages whose segment went from a stopped store are told when the queue comes to them, and the rest is served', async () => {
  const dataDir = await filled('SIGTERM')
  const [, gone = ''] = filesOf(join(dataDir, 'journal')).filter((file) => file.endsWith('.seg'))
  rmSync(join(dataDir, 'journal', gone))
  const broker = await start({ dataDir, settings: SETTINGS })
  const names = await namesIn(broker)
  const lost = ALL.filter((name) => !names.includes(name))
  expect(lost.length).toBeGreaterThan(0)
  expect(names).toEqual(ALL.filter((name) => names.includes(name)))
  const told = (): number => {
    const events = broker.program.lines
      .join('\n')
      .matchAll(/(\d+) messages? of queue '[^']+' cannot be read from the store any more/g)
    return [...events].reduce((sum, [, count]) => sum + Number(count), 0)
  }
  await until('all that is lost to be told', () => told() >= lost.length)
  expect(told()).toBe(lost.length)
})
