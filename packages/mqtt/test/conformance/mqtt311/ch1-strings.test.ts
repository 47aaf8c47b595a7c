import { describe, expect, it } from 'vitest'
import { connect, publish, subscribe, unsubscribe } from '../../harness.ts'
import { CARRIERS, ILL_FORMED } from '../strings.ts'
import { watch, world311 } from '../worlds.ts'

describe.each(CARRIERS)('$what', ({ isFirst, packet }) => {
  it.each(ILL_FORMED)('[MQTT311-1.5.3-1] with %s ends the connection', (_fault, text) => {
    const world = world311()
    const watcher = watch(world)
    const client = isFirst ? world.open() : world.connect('c1')
    client.send(packet(text))
    expect(client.received()).toEqual([])
    expect(client.isClosed).toBe(true)
    expect(watcher.received()).toEqual([])
  })

  it.each([
    ['alone', '\0'],
    ['between others', 'a\0b'],
    ['at the end', 'a\0'],
  ])('[MQTT311-1.5.3-2] with U+0000 %s ends the connection', (_where, text) => {
    const world = world311()
    const watcher = watch(world)
    const client = isFirst ? world.open() : world.connect('c1')
    client.send(packet(new TextEncoder().encode(text)))
    expect(client.received()).toEqual([])
    expect(client.isClosed).toBe(true)
    expect(watcher.received()).toEqual([])
  })

  it('[MQTT311-1.5.3-1] with characters from all over Unicode is taken', () => {
    const world = world311()
    const client = isFirst ? world.open() : world.connect('c1')
    client.send(packet(new TextEncoder().encode('a\u007f\u0080\u07ff\u0800\ud7ff\ue000\ufffd\u{10000}\u{10ffff}')))
    expect(client.isClosed).toBe(false)
  })
})

describe('U+FEFF', () => {
  const MARKED = Uint8Array.of(0xef, 0xbb, 0xbf, 0x61)

  it('[MQTT311-1.5.3-3] at the start of topics and filters is a character as any other', () => {
    const world = world311()
    const bare = watch(world, 'a', 'bare')
    const marked = watch(world, '\ufeffa', 'marked')
    world.connect('publisher').send(publish(MARKED, 'with'), publish('a', 'without'))
    expect(bare.publishes()).toMatchObject([{ topic: 'a', payload: 'without' }])
    const [message] = marked.publishes()
    expect(message!.payload).toBe('with')
    expect(message!.raw).toEqual(Uint8Array.of(0x30, 10, 0, 4, ...MARKED, ...new TextEncoder().encode('with')))

    marked.send(unsubscribe(2, 'a'))
    marked.next('UNSUBACK')
    world.connect('again').send(publish(MARKED, 'still'))
    expect(marked.publishes()).toMatchObject([{ payload: 'still' }])
  })

  it('[MQTT311-1.5.3-3] within a filter is not dropped', () => {
    const world = world311()
    const client = watch(world, 'a/\ufeffb')
    world.connect('publisher').send(publish('a/b', 'bare'), publish('a/\ufeffb', 'marked'))
    expect(client.publishes()).toMatchObject([{ topic: 'a/\ufeffb', payload: 'marked' }])
  })

  it('[MQTT311-1.5.3-3] makes another client identifier', () => {
    const world = world311()
    const bare = world.connect('c')
    const marked = world.connect('\ufeffc')
    expect([bare.isClosed, marked.isClosed]).toEqual([false, false])
  })

  it('[MQTT311-1.5.3-3] reaches login and will as it was sent', () => {
    const names: (string | undefined)[] = []
    const world = world311({
      login: {
        begin: ({ username }) => {
          names.push(username)
          return { kind: 'accepted', principal: { name: 'someone', anonymous: false }, data: undefined }
        },
      },
    })
    const watcher = watch(world)
    const client = world.open()
    client.send(connect({ clientId: 'c', username: MARKED, will: { topic: MARKED, payload: 'gone' } }))
    client.accepted()
    client.hangUp()
    expect(names).toContain('\ufeffa')
    expect(watcher.publishes()).toMatchObject([{ topic: '\ufeffa', payload: 'gone' }])
  })
})

it('[MQTT311-1.5.3-1] SUBSCRIBE is judged to its last filter', () => {
  const client = world311().connect('c1')
  client.send(subscribe(1, 'good', { filter: Uint8Array.of(0xff) }))
  expect(client.received()).toEqual([])
  expect(client.isClosed).toBe(true)
})
