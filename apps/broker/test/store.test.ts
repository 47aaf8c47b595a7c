/** `ternmq store`: looks at a journal, checks it, copies it, puts a copy back. With a broker that runs, and without. */
import {
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  readSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { connect, type IClientOptions } from 'mqtt'
import { describe, expect, onTestFinished, test } from 'vitest'

import { client, type Ended, newFolder, start, type Started, ternmq, until } from './support.ts'

const KEPT = { clientId: 'kept', clean: false, properties: { sessionExpiryInterval: 3_600 } } satisfies IClientOptions
const COUNT = 20

function urlOf(broker: Started): string {
  return `mqtt://127.0.0.1:${broker.port('mqtt')}`
}

function store(action: string, ...args: string[]): Promise<Ended> {
  return ternmq(['store', action, ...args])
}

/** `COUNT` messages wait for a session. */
async function fill(broker: Started): Promise<void> {
  const leaving = await client(urlOf(broker), KEPT)
  await leaving.subscribeAsync('a', { qos: 1 })
  await leaving.endAsync()
  const publisher = await client(urlOf(broker))
  for (let number = 0; number < COUNT; number++) {
    await publisher.publishAsync('a', `number ${number} `.padEnd(1_000, '.'), { qos: 1 })
  }
  await publisher.endAsync()
}

/** What waits for the session, in order. */
async function waitingIn(broker: Started, count: number = COUNT): Promise<string[]> {
  const returning = connect(urlOf(broker), { ...KEPT, protocolVersion: 5, reconnectPeriod: 0 })
  onTestFinished(() => returning.endAsync(true))
  const received: string[] = []
  returning.on('message', (_, payload) => received.push(payload.toString().replace(/ \.*$/, '')))
  await until('all messages', () => received.length === count)
  return received
}

const ALL = Array.from({ length: COUNT }, (_, number) => `number ${number}`)

/** A data directory with messages in it, of a broker that has ended. */
async function filledDataDir(): Promise<string> {
  const broker = await start()
  await fill(broker)
  await broker.program.stop('SIGTERM')
  return broker.dataDir
}

/** Changes a byte inside the first message, as a disk might. Returns file and offset. */
function damage(folder: string): { file: string; offset: number } {
  for (const file of readdirSync(join(folder, 'p0')).filter((name) => name.endsWith('.seg'))) {
    const fd = openSync(join(folder, 'p0', file), 'r+')
    const bytes = Buffer.alloc(1_048_576)
    const offset = bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, 0)).indexOf('number 3 ')
    if (offset >= 0) writeSync(fd, Buffer.from('N'), 0, 1, offset)
    closeSync(fd)
    if (offset >= 0) return { file: `p0/${file}`, offset }
  }
  throw new Error(`no segment in ${folder} has the message`)
}

describe('`store inspect`', () => {
  test('shows files, ranges and what is live, the same of a broker that runs and of its data directory afterwards', async () => {
    const broker = await start()
    await fill(broker)
    const args = ['--data-dir', broker.dataDir, '--json']
    const running = await store('inspect', ...args)
    await broker.program.stop('SIGKILL')
    const ended = await store('inspect', ...args)
    expect([running.code, ended.code]).toEqual([0, 0])
    interface Report {
      readonly partitions: readonly {
        readonly lastLsn: number
        readonly segments: readonly { readonly liveRecords: number }[]
      }[]
    }
    const [first, second] = [running, ended].map(({ stdout }) => JSON.parse(stdout.join('\n')) as Report)
    expect(first?.partitions).toHaveLength(1)
    expect(first?.partitions[0]?.segments[0]?.liveRecords).toBe(COUNT)
    expect(second?.partitions[0]?.segments[0]?.liveRecords).toBe(COUNT)
    expect(second?.partitions[0]?.lastLsn).toBe(first?.partitions[0]?.lastLsn)
  })

  test('is a table for people', async () => {
    const dataDir = await filledDataDir()
    const { code, stdout, stderr } = await store('inspect', '--data-dir', dataDir)
    expect({ code, stderr }).toEqual({ code: 0, stderr: [] })
    expect(stdout[0]).toMatch(/journal: format \d+, \d segments?, .* on disk, .* live, \d+ definitions$/)
    expect(stdout).toContainEqual(expect.stringMatching(/^partition 0: last lsn \d+, snapshot p0\/.* after lsn \d+/))
    expect(stdout).toContainEqual(expect.stringMatching(/^p0\/\S+\.seg +\d+ +\d+ +\d+ +20 +\d+$/))
  })

  test('of a directory without a journal says so and makes none', async () => {
    const dataDir = join(newFolder(), 'data')
    expect(await store('inspect', '--data-dir', dataDir)).toEqual({
      code: 1,
      stdout: [],
      stderr: [`ternmq: there is no journal in the data directory ${dataDir}; name another with --data-dir`],
    })
    expect(existsSync(dataDir)).toBe(false)
  })

  test('of a broker that keeps everything in memory says so', async () => {
    const dataDir = await filledDataDir()
    await start({ dataDir, settings: ['store.engine=memory'] })
    expect(await store('inspect', '--data-dir', dataDir)).toMatchObject({
      code: 1,
      stderr: ['ternmq: this broker keeps everything in memory (store.engine is "memory"): it has no journal'],
    })
  })
})

test('`store inspect` of a broker that runs shows its queues, the fullest first', async () => {
  const broker = await start()
  const publisher = await client(urlOf(broker))
  for (const queue of ['few', 'many', 'many']) await publisher.publishAsync(`$queue/${queue}`, 'x', { qos: 1 })
  const { stdout } = await store('inspect', '--data-dir', broker.dataDir)
  const rows = stdout.filter((line) => line.includes(' fsync-local ')).map((line) => line.split(/ +/))
  expect(rows).toEqual([
    ['many', 'fsync-local', '2', '0', '0'],
    ['few', 'fsync-local', '1', '0', '0'],
  ])
})

describe('`store verify`', () => {
  test('says that everything is right when it is', async () => {
    const dataDir = await filledDataDir()
    const { code, stdout, stderr } = await store('verify', '--data-dir', dataDir)
    expect({ code, stderr }).toEqual({ code: 0, stderr: [] })
    expect(stdout).toEqual([expect.stringMatching(/journal: \d+ records in .*, every checksum is right$/)])
  })

  test('names file and byte of damage, and ends with 1; the broker says it too, and serves the rest', async () => {
    const dataDir = await filledDataDir()
    const { file, offset } = damage(join(dataDir, 'journal'))
    const { code, stdout, stderr } = await store('verify', '--data-dir', dataDir)
    expect({ code, stdout }).toEqual({ code: 1, stdout: [] })
    expect(stderr).toHaveLength(1)
    const [, foundFile, foundByte] = /^ternmq: damage: (\S+), byte (\d+): /.exec(stderr[0] ?? '') ?? []
    expect(foundFile).toBe(file)
    // The frame begins before the byte that is wrong in it, by less than a message.
    expect(Number(foundByte)).toBeLessThanOrEqual(offset)
    expect(Number(foundByte)).toBeGreaterThan(offset - 1_000)

    const broker = await start({ dataDir })
    expect(await waitingIn(broker, COUNT - 1)).toEqual(ALL.filter((message) => message !== 'number 3'))
    expect(JSON.parse(await broker.program.untilLine('damage in the journal'))).toMatchObject({
      level: 'error',
      file,
      offset: Number(foundByte),
      msg: expect.stringContaining(`${file}, byte ${foundByte}: `) as unknown,
    })
  })

  test('is refused while a broker has the directory, which is told which process', async () => {
    const broker = await start()
    const { code, stderr } = await store('verify', '--data-dir', broker.dataDir)
    expect(code).toBe(1)
    expect(stderr).toEqual([
      expect.stringMatching(
        `${broker.dataDir} is in use by process ${broker.ready.pid}, .* store backup DIR --data-dir .* store verify DIR`,
      ),
    ])
  })

  test('of a directory with files of somebody else, or from a newer version, says what was found', async () => {
    const folder = newFolder()
    mkdirSync(join(folder, 'journal'))
    writeFileSync(join(folder, 'journal', 'thesis.txt'), 'chapter 1')
    expect(await store('verify', '--data-dir', folder)).toMatchObject({
      code: 1,
      stderr: [expect.stringMatching(/journal: .*thesis\.txt/)],
    })
    const dataDir = await filledDataDir()
    writeFileSync(join(dataDir, 'journal', 'ternmq-journal'), 'ternmq journal\nformat 99\nstore 0000000000000001\n')
    expect(await store('verify', '--data-dir', dataDir)).toMatchObject({
      code: 1,
      stderr: [expect.stringMatching(/journal: .*99/)],
    })
  })
})

describe('a backup', () => {
  test('of a broker that runs is whole, can be checked by its name, and restored elsewhere', async () => {
    const broker = await start()
    await fill(broker)
    const target = join(newFolder(), 'backup')
    const made = await store('backup', target, '--data-dir', broker.dataDir)
    expect(made).toMatchObject({ code: 0, stderr: [] })
    expect(made.stdout[0]).toMatch(/^backup of .*journal is in .*backup: \d+ files, /)
    expect(await waitingIn(broker)).toEqual(ALL) // goes on meanwhile
    expect(await store('verify', target)).toMatchObject({ code: 0, stderr: [] })
    expect(await store('inspect', target)).toMatchObject({ code: 0, stderr: [] })

    const elsewhere = join(newFolder(), 'data')
    const restored = await store('restore', target, '--data-dir', elsewhere)
    expect(restored).toMatchObject({ code: 0, stderr: [] })
    expect(restored.stdout[0]).toMatch(/^.*backup is restored to .*data\/journal: \d+ files, /)
    expect(await waitingIn(await start({ dataDir: elsewhere }))).toEqual(ALL)
  })

  test('of a data directory without a broker is the same', async () => {
    const dataDir = await filledDataDir()
    const target = join(newFolder(), 'backup')
    expect(await store('backup', target, '--data-dir', dataDir)).toMatchObject({ code: 0, stderr: [] })
    const elsewhere = join(newFolder(), 'data')
    expect(await store('restore', target, '--data-dir', elsewhere)).toMatchObject({ code: 0 })
    expect(await waitingIn(await start({ dataDir: elsewhere }))).toEqual(ALL)
  })

  test.each(['that runs', 'that has ended'])('does not go over files that are there, of a broker %s', async (which) => {
    const broker = await start()
    if (which === 'that has ended') await broker.program.stop('SIGTERM')
    const target = newFolder()
    writeFileSync(join(target, 'thesis.txt'), 'chapter 1')
    expect(await store('backup', target, '--data-dir', broker.dataDir)).toMatchObject({
      code: 1,
      stdout: [],
      stderr: [expect.stringMatching(/not empty \(thesis\.txt\)/)],
    })
    expect(readdirSync(target)).toEqual(['thesis.txt'])
  })

  test.each(['', 'p0', 'p0/copy/deep', 'new'])('is not made inside the journal that it copies (%j)', async (inside) => {
    const broker = await start()
    const journal = join(broker.dataDir, 'journal')
    symlinkSync(journal, join(broker.dataDir, 'link'))
    for (const folder of [journal, join(broker.dataDir, 'link')]) {
      expect(await store('backup', join(folder, inside), '--data-dir', broker.dataDir)).toMatchObject({
        code: 1,
        stdout: [],
        stderr: [expect.stringMatching(/is inside the journal .*: name a directory outside of it$/)],
      })
    }
    expect(readdirSync(journal)).not.toContain('new')
  })

  test('is not restored over a journal, nor under a broker that runs', async () => {
    const dataDir = await filledDataDir()
    const target = join(newFolder(), 'backup')
    await store('backup', target, '--data-dir', dataDir)
    expect(await store('restore', target, '--data-dir', dataDir)).toMatchObject({
      code: 1,
      stderr: [expect.stringMatching(/not empty/)],
    })
    await start({ dataDir })
    expect(await store('restore', target, '--data-dir', dataDir)).toMatchObject({
      code: 1,
      stderr: [expect.stringContaining('is in use by process')],
    })
  })

  test('that has lost its end is not restored; one without a manifest is, with a warning', async () => {
    const dataDir = await filledDataDir()
    const target = join(newFolder(), 'backup')
    await store('backup', target, '--data-dir', dataDir)
    expect((await store('verify', target)).stdout).toEqual([expect.stringContaining('all of the backup is there')])
    const [segment = ''] = readdirSync(join(target, 'p0')).filter((name) => name.endsWith('.seg'))
    const whole = readFileSync(join(target, 'p0', segment))
    writeFileSync(join(target, 'p0', segment), whole.subarray(0, -1_000))
    const elsewhere = join(newFolder(), 'data')
    for (const result of [await store('verify', target), await store('restore', target, '--data-dir', elsewhere)]) {
      expect(result).toMatchObject({ code: 1, stdout: [] })
      expect(result.stderr.join('\n')).toContain(segment)
    }
    expect(existsSync(join(elsewhere, 'journal', 'ternmq-journal'))).toBe(false)
    writeFileSync(join(target, 'p0', segment), whole)
    rmSync(join(target, 'backup-manifest'))
    for (const result of [await store('verify', target), await store('restore', target, '--data-dir', elsewhere)]) {
      expect(result).toMatchObject({
        code: 0,
        stderr: [expect.stringMatching(/^ternmq: warning: .*no manifest.*cannot be told/)],
      })
    }
  })

  test('that is damaged is not restored, and the place is named', async () => {
    const dataDir = await filledDataDir()
    const target = join(newFolder(), 'backup')
    cpSync(join(dataDir, 'journal'), target, { recursive: true })
    const { file } = damage(target)
    const elsewhere = join(newFolder(), 'data')
    expect(await store('restore', target, '--data-dir', elsewhere)).toMatchObject({
      code: 1,
      stderr: [expect.stringContaining(file)],
    })
    expect(existsSync(join(elsewhere, 'journal', 'ternmq-journal'))).toBe(false)
  })

  test('that is not there is not restored', async () => {
    const missing = join(newFolder(), 'missing')
    expect(await store('restore', missing, '--data-dir', join(newFolder(), 'data'))).toMatchObject({
      code: 1,
      stderr: [`ternmq: there is no directory ${missing} to restore from`],
    })
  })
})

test.each([
  [['store'], '`store` needs a word for what to do: there are inspect, verify, backup and restore'],
  [['store', 'backup'], '`store backup` needs DIRECTORY'],
  [['store', 'restore'], '`store restore` needs DIRECTORY'],
  [['store', 'repair'], 'there is no `store repair`; there are inspect, verify, backup and restore'],
])('`ternmq %j` is not understood: exit code 2, and what is meant', async (args, sentence) => {
  const { code, stdout, stderr } = await ternmq(args)
  expect({ code, stdout, stderr }).toEqual({
    code: 2,
    stdout: [],
    stderr: [expect.stringContaining(`ternmq: ${sentence} (see`)],
  })
})
