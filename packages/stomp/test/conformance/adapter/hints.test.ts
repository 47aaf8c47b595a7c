/** What operators are told of topics that nobody hears and subscriptions that they nearly match. */
import { describe, expect, it } from 'vitest'
import { send, subscribe, World } from '../../harness.ts'

function nearMisses(world: World): string[] {
  return world.events.filter(({ kind, text }) => kind === 'hint' && text.startsWith('nobody hears')).map(({ text }) => text)
}

/** A client that reads and one that sends, with these names. */
function meeting(destination: string, ...destinations: readonly string[]): World {
  const world = new World()
  world.connect({ headers: { 'client-id': 'desk' } }).send(subscribe('s', destination))
  world.connect({ headers: { 'client-id': 'pump' } }).send(...destinations.map((each) => send(each, 'x')))
  return world
}

describe('a topic that nobody hears and a subscription that it nearly matches', () => {
  it('are told together, once, in the words of MQTT', () => {
    const world = meeting('/topic/plant.line.>', '/topic/Plant.line.1', '/topic/Plant.line.1')
    expect(nearMisses(world)).toEqual([
      "nobody hears 'Plant/line/1', which STOMP client 'pump' publishes to; STOMP client 'desk' subscribed to 'plant/line/#': upper and lower case differ",
    ])
  })

  it('are told of a durable subscription, and of every part of a list', () => {
    const world = new World()
    const headers = { 'durable-subscription-name': 'd' }
    world.connect({ headers: { 'client-id': 'desk' } }).send(subscribe('s', '/topic/a', headers))
    world.connect({ headers: { 'client-id': 'pump' } }).send(send('/topic/A,/topic/.a', 'x'))
    expect(nearMisses(world).map((text) => text.split(',')[0])).toEqual(["nobody hears 'A'", "nobody hears '/a'"])
  })

  it.each([
    ['/topic/a.b', '/topic/a.b'],
    ['/topic/a.b', '/topic/a.c'],
    ['/queue/a', '/queue/A'],
    ['/topic/A', '/queue/a'],
  ])('%s and %s are none', (read, sent) => {
    expect(nearMisses(meeting(read, sent))).toEqual([])
  })
})
