/** A disk that runs full under load: publishers hear of it in their protocol's words, consumers go on and make room, service resumes. */
import { closeSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { IClientOptions, IPublishPacket, MqttClient } from 'mqtt'
import { describe, expect, test } from 'vitest'

import { client, newFolder, start, type Started, until } from '../support.ts'
import { smallDisk } from './small-disk.ts'

const QUEUE = '$queue/orders'
const BODY_BYTES = 8_192
/** MQTT 5 reason code: quota exceeded. */
const QUOTA_EXCEEDED = 0x97
const MESSAGES_MAX = 20_000
const WINDOW = 20
const DISK_MIB = 40
const SMALL_SEGMENTS = 'store.segmentBytes=1048576'

/** A store that has little room, in one way or another. */
interface Room {
  readonly dataDir: string
  readonly settings: readonly string[]
}

function urlOf(broker: Started): string {
  return `mqtt://127.0.0.1:${broker.port('mqtt')}`
}

function bodyOf(number: number): string {
  return `order ${number} `.padEnd(BODY_BYTES, '.')
}

function nameOf(body: Buffer): string {
  return body.toString('latin1', 0, 40).replace(/ \.*$/, '')
}

interface Filled {
  readonly acknowledged: readonly string[]
  readonly refused: readonly string[]
  /** Told with the refusals. */
  readonly reasons: ReadonlySet<string>
}

/** Publishes until the broker takes no more. */
async function fill(publisher: MqttClient): Promise<Filled> {
  const acknowledged: string[] = []
  const refused: string[] = []
  const reasons = new Set<string>()
  publisher.on('packetreceive', (packet) => {
    if (packet.cmd === 'puback' && packet.reasonCode === QUOTA_EXCEEDED)
      reasons.add(packet.properties?.reasonString ?? '')
  })
  for (let first = 0; refused.length === 0; first += WINDOW) {
    if (first >= MESSAGES_MAX) throw new Error(`${first} messages found room`)
    const some = Array.from({ length: WINDOW }, (_, index) => {
      const name = `order ${first + index}`
      return publisher.publishAsync(QUEUE, bodyOf(first + index), { qos: 1 }).then(
        () => acknowledged.push(name),
        (error: Error & { code?: number }) => {
          expect(error.code).toBe(QUOTA_EXCEEDED)
          refused.push(name)
        },
      )
    })
    await Promise.all(some)
  }
  return { acknowledged, refused, reasons }
}

/** Takes what comes from the queue. */
async function consumer(
  broker: Started,
  options: IClientOptions = {},
): Promise<{ client: MqttClient; names: string[] }> {
  const taking = await client(urlOf(broker), options)
  const names: string[] = []
  taking.on('message', (_: string, body: Buffer, packet: IPublishPacket) => {
    if (!packet.dup) names.push(nameOf(body))
  })
  await taking.subscribeAsync(QUEUE, { qos: 1 })
  return { client: taking, names }
}

/** One publish after the other until one is taken again. Returns its name. */
async function publishUntilTaken(publisher: MqttClient): Promise<string> {
  let name = ''
  let refusal = 'no answer'
  publisher.on('packetreceive', (packet) => {
    if (packet.cmd === 'puback') refusal = packet.properties?.reasonString ?? `reason code ${packet.reasonCode}`
  })
  const isTaken = async (): Promise<boolean> => {
    name = `later ${Math.random()}`
    return publisher.publishAsync(QUEUE, name, { qos: 1 }).then(
      () => true,
      () => false,
    )
  }
  await until('a publish that is taken', isTaken).catch((error: unknown) => {
    throw new Error(`${String(error)}; the last one was refused: ${refusal}`)
  })
  return name
}

function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize
}

/** Returns why publishers were refused, as they were told. */
async function refuseConsumeResume({ dataDir, settings }: Room): Promise<string> {
  const broker = await start({ dataDir, settings: [SMALL_SEGMENTS, ...settings] })
  const publisher = await client(urlOf(broker))
  const { acknowledged, refused, reasons } = await fill(publisher)
  expect(refused.length).toBeGreaterThan(0)
  expect(acknowledged.length).toBeGreaterThan(100)
  for (const reason of reasons) expect(reason).toMatch(/consume or expire messages, or give the store more room/)

  // Before MQTT 5 there is no word for it: the connection ends without an acknowledgement, and the client sends again on the next.
  const older = await client(urlOf(broker), {
    protocolVersion: 4,
    clientId: 'older',
    clean: false,
    reconnectPeriod: 50,
  })
  let hasEnded = false
  older.once('close', () => (hasEnded = true))
  let isTaken = false
  const taken = older.publishAsync(QUEUE, bodyOf(MESSAGES_MAX + 1), { qos: 1 }).then(() => (isTaken = true))
  await until('the end of its connection', () => hasEnded)
  expect(isTaken).toBe(false)

  const { names } = await consumer(broker)
  await until('all that was acknowledged', () => names.length >= acknowledged.length)
  const later = await publishUntilTaken(publisher)
  await taken
  await until('what was taken later', () => names.includes(later) && names.includes(`order ${MESSAGES_MAX + 1}`))
  expect(names.filter((name) => name.startsWith('order') && !name.endsWith(String(MESSAGES_MAX + 1)))).toEqual(
    acknowledged,
  )
  expect(broker.program.hasEnded).toBe(false)
  return [...reasons].join('\n')
}

describe('publishers are refused, consumers go on, and service resumes when there is room,', () => {
  test('on a disk that is full to the last byte', { timeout: 300_000 }, async (context) => {
    const folder = await smallDisk(context, DISK_MIB)
    const reasons = await refuseConsumeResume({ dataDir: join(folder, 'data'), settings: ['store.minFreeBytes=0'] })
    expect(reasons).toMatch(/ENOSPC: no space left/)
    // A client need not know where the server keeps its files.
    expect(reasons).not.toContain(folder)
  })

  test('on a disk with less than store.minFreeBytes', { timeout: 300_000 }, async (context) => {
    const folder = await smallDisk(context, DISK_MIB)
    expect(
      await refuseConsumeResume({ dataDir: join(folder, 'data'), settings: ['store.minFreeBytes=8388608'] }),
    ).toMatch(/fewer than minFreeBytes 8388608/)
  })

  test('in a store that has its store.maxBytes', { timeout: 300_000 }, async () => {
    expect(
      await refuseConsumeResume({ dataDir: join(newFolder(), 'data'), settings: ['store.maxBytes=20000000'] }),
    ).toMatch(/of maxBytes 20000000/)
  })
})

test('room that somebody else took and gives back is used at once', { timeout: 300_000 }, async (context) => {
  const folder = await smallDisk(context, DISK_MIB)
  const broker = await start({ dataDir: join(folder, 'data'), settings: [SMALL_SEGMENTS, 'store.minFreeBytes=0'] })
  const publisher = await client(urlOf(broker))
  await publisher.publishAsync(QUEUE, 'before', { qos: 1 })
  const other = join(folder, 'of-somebody-else')
  takeAll(other, folder)
  const { refused } = await fill(publisher)
  expect(refused.length).toBeGreaterThan(0)
  rmSync(other)
  const later = await publishUntilTaken(publisher)
  const { names } = await consumer(broker)
  await until('both', () => names.includes('before') && names.includes(later))
})

test(
  'a broker that is killed while its disk is full starts without a free byte, delivers everything acknowledged, and settles it when there is room',
  { timeout: 300_000 },
  async (context) => {
    const folder = await smallDisk(context, DISK_MIB)
    const settings = [SMALL_SEGMENTS, 'store.minFreeBytes=0']
    const broker = await start({ dataDir: join(folder, 'data'), settings })
    const { acknowledged } = await fill(await client(urlOf(broker)))
    await broker.program.stop('SIGKILL')
    const other = join(folder, 'of-somebody-else')
    takeAll(other, folder)

    const again = await start({ dataDir: broker.dataDir, settings })
    const { names } = await consumer(again)
    await until('all that was acknowledged', () => names.length >= acknowledged.length)
    expect(names).toEqual(acknowledged)

    rmSync(other)
    const later = await publishUntilTaken(await client(urlOf(again)))
    await until('what was taken later', () => names.includes(later))
    // What was settled without room is settled again by itself, and then its segments go.
    await until('room', () => freeBytes(folder) > (DISK_MIB - 12) * 1_048_576)
    await again.program.stop('SIGTERM')
    const third = await start({ dataDir: broker.dataDir, settings })
    const last = await consumer(third)
    const sentinel = await publishUntilTaken(await client(urlOf(third)))
    await until('the sentinel', () => last.names.includes(sentinel))
    expect(last.names).toEqual([sentinel])
  },
)

/** Fills the disk by a file, to the last byte. */
function takeAll(file: string, folder: string): void {
  const fd = openSync(file, 'w')
  const block = Buffer.alloc(65_536)
  while (freeBytes(folder) > 0) {
    try {
      writeSync(fd, block.subarray(0, Math.min(block.length, freeBytes(folder))))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error // the broker was faster
    }
  }
  closeSync(fd)
}
