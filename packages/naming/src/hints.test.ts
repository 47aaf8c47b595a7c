import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { filterHints, type HintOptions, hintsFor } from './hints.ts'
import { resolve } from './resolve.ts'

function hints(text: string, options: HintOptions): string[] {
  return hintsFor(text, resolve(text, options), options).map((hint) => `${hint.id}: ${hint.text}`)
}

const MQTT = { protocol: 'mqtt', purpose: 'receive' } as const
const STOMP = { protocol: 'stomp', purpose: 'receive' } as const

describe('hints', () => {
  test.each<[string, HintOptions, string]>([
    [
      'Sensor/*',
      MQTT,
      "dotted-wildcard-in-mqtt: 'Sensor/*': '*' is an ordinary character in names with '/' between levels; for any one level write '+': 'Sensor/+'",
    ],
    [
      'a/>',
      MQTT,
      "dotted-wildcard-in-mqtt: 'a/>': '>' is an ordinary character in names with '/' between levels; for all levels below write '#': 'a/#'",
    ],
    [
      '/Sensor/*',
      STOMP,
      "dotted-wildcard-in-mqtt: '/Sensor/*': '*' is an ordinary character in names with '/' between levels; for any one level write '+': 'Sensor/+'",
    ],
    [
      '/topic/Sensor.+',
      STOMP,
      "mqtt-wildcard-in-dotted: '/topic/Sensor.+': '+' is an ordinary character in this place; for any one level write '*'",
    ],
    [
      '/topic/a.#.b',
      STOMP,
      "mqtt-wildcard-in-dotted: '/topic/a.#.b': '#' is an ordinary character in this place; for all levels below write '>' at the end",
    ],
    [
      '/japan/tokyo',
      MQTT,
      "leading-slash: '/japan/tokyo' begins with an empty level, so it is another topic than 'japan/tokyo'",
    ],
    [
      '/japan',
      { protocol: 'mqtt', purpose: 'send' },
      "leading-slash: '/japan' begins with an empty level, so it is another topic than 'japan'",
    ],
    [
      'sensor.1',
      MQTT,
      "separator: 'sensor.1' is a topic of one level: levels have '/' between them here, and 2 levels are 'sensor/1'",
    ],
    [
      '/sensor.1',
      STOMP,
      "separator: '/sensor.1' is a topic of one level: levels have '/' between them here, and 2 levels are '/sensor/1'",
    ],
    [
      '/topic/sensor/1',
      STOMP,
      "separator: '/topic/sensor/1' is a topic of one level: levels have '.' between them here, and 2 levels are '/topic/sensor.1'",
    ],
    ['/Queue/a', STOMP, "case: '/Queue/a' does not begin with '/queue/': upper and lower case differ"],
    ['$Queue/a', MQTT, "case: '$Queue/a' does not begin with '$queue/': upper and lower case differ"],
  ])('%s', (text, options, hint) => {
    expect(hints(text, options)).toEqual([hint])
  })

  test.each<[string, HintOptions]>([
    ['Sensor/+/Room1', MQTT],
    ['a/*', { protocol: 'mqtt', purpose: 'send' }],
    ['a.b/c', MQTT],
    ['...', MQTT],
    ['/topic/Sensor.*.>', STOMP],
    ['/topic/v1/2.x', STOMP],
    ['a.b', { ...STOMP, profile: 'artemis' }],
    ['/queue/a/b', STOMP],
    ['$queue/a.*', MQTT],
    ['a/+b', MQTT],
    ['/broker/roomId/1', STOMP],
  ])('%s needs none', (text, options) => {
    expect(hints(text, options)).toEqual([])
  })
})

test('filters of MQTT have the hints that any address has', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'Q', 'u', 'e', '$', '/', '+', '#', '*', '>', '.') })
  fc.assert(
    fc.property(
      fc.oneof(
        text,
        text.map((rest) => `$Queue/${rest}`),
        text.map((rest) => `$sYS/${rest}`),
      ),
      (filter) => {
        expect(filterHints(filter)).toEqual(hintsFor(filter, resolve(filter, MQTT), MQTT))
      },
    ),
    { numRuns: 2_000 },
  )
})
