/** What operators are told of filters and topics that probably mean something else. */
import { allowAll } from '@ternmq/core'
import { describe, expect, it } from 'vitest'
import { publish, subscribe, unsubscribe, World } from '../../harness.ts'
import { subscriber } from '../mqtt5/scenes.ts'

const HOUR_MS = 3_600_000

function hints(world: World): string[] {
  return world.events.filter(({ kind }) => kind === 'hint').map(({ text }) => text)
}

describe('a filter that reads otherwise elsewhere', () => {
  it.each([
    ['Sensor/*', "'Sensor/*': '*' is an ordinary character"],
    ['a/>', "'a/>': '>' is an ordinary character"],
    ['/japan/tokyo', "'/japan/tokyo' begins with an empty level"],
    ['sensor.1', "'sensor.1' is a topic of one level"],
    ['$share/g/Sensor/*', "'Sensor/*': '*' is an ordinary character"],
    ['$Queue/a', "'$Queue/a' does not begin with '$queue/'"],
  ])('%s is granted, and operators are told', (filter, text) => {
    const world = new World()
    const client = world.connect('c')
    client.send(subscribe(1, filter))
    expect(client.next('SUBACK').reasonCodes).toEqual([2])
    expect(hints(world)).toEqual([expect.stringContaining(text)])
    expect(world.events.find(({ kind }) => kind === 'hint')).toMatchObject({ source: 'mqtt', clientId: 'c' })
  })

  it('needs no word when it is refused', () => {
    const world = new World({ authorizer: { ...allowAll, mayMatch: () => ({ allowed: false, rule: 'none' }) } })
    world.connect('c').send(subscribe(1, 'Sensor/*'))
    expect(world.events.map(({ kind }) => kind)).not.toContain('hint')
  })

  it.each(['Sensor/+/Room1', 'Sensor/#', '#', '$SYS/#', '$share/g/a/b', 'v1.2/x'])('%s needs none', (filter) => {
    const world = new World()
    subscriber(world, 'c', filter)
    expect(hints(world)).toEqual([])
  })

  it('is told once of a fleet, and again an hour later of a client that comes then', () => {
    const world = new World()
    const clients = ['a', 'b', 'c'].map((id) => subscriber(world, id, '/fleet/cmd'))
    clients[0]!.send(unsubscribe(2, '/fleet/cmd'), subscribe(3, '/fleet/cmd'))
    expect(hints(world)).toHaveLength(1)
    world.advance(HOUR_MS)
    subscriber(world, 'd', '/fleet/cmd')
    expect(hints(world)).toHaveLength(2)
  })

  it('is told of so often for one client, whatever it subscribes to', () => {
    const world = new World()
    const client = world.connect('c')
    client.send(...Array.from({ length: 40 }, (_, index) => subscribe(index + 1, `/fleet/${index}`)))
    expect(hints(world)).toHaveLength(16)
  })
})

describe('a topic that nobody hears and a filter that it nearly matches', () => {
  const TOLD =
    "nobody hears 'sensor.1', which MQTT client 'pump' publishes to; MQTT client 'desk' subscribed to 'sensor/1'"

  it.each([0, 1, 2] as const)('are told together, with both clients, whichever comes first (QoS %i)', (qos) => {
    const packet = publish('sensor.1', 'x', { qos, ...(qos > 0 && { id: 1 }) })
    const before = new World()
    subscriber(before, 'desk', 'sensor/1')
    before.connect('pump').send(packet)
    const after = new World()
    after.connect('pump').send(packet)
    subscriber(after, 'desk', 'sensor/1')
    for (const world of [before, after]) expect(hints(world)).toEqual([expect.stringContaining(TOLD)])
  })

  it('are told once, however often it is published', () => {
    const world = new World()
    subscriber(world, 'desk', 'sensor/1')
    const pump = world.connect('pump')
    pump.send(publish('sensor.1', 'x'), publish('sensor.1', 'x'))
    subscriber(world, 'other', 'other')
    pump.send(publish('sensor.1', 'x'))
    expect(hints(world)).toHaveLength(1)
  })

  it('are not told while somebody hears it, and are when nobody does any more', () => {
    const world = new World()
    const desk = subscriber(world, 'desk', 'sensor/1')
    subscriber(world, 'wide', '#')
    const pump = world.connect('pump')
    pump.send(publish('Sensor/1', 'x'))
    expect(hints(world)).toEqual([])
    world.connect('wide').hangUp()
    pump.send(publish('Sensor/1', 'x'))
    expect(hints(world)).toEqual([expect.stringContaining('upper and lower case differ')])
    expect(desk.publishes()).toEqual([])
  })

  it("names that begin with '$' are nobody's mistake", () => {
    const world = new World()
    subscriber(world, 'desk', '$x/a')
    world.connect('pump').send(publish('$X/a', 'x'))
    expect(hints(world)).toEqual([])
  })
})
