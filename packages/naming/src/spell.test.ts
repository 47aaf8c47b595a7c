import { ALL_BELOW, ONE_LEVEL } from '@ternmq/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addressKey, fromCoreName, type ParsedAddress, queueAddress, toCoreName, topicAddress } from './address.ts'
import { levels, list, listed, patternLevels, queueName, texts } from '../test/arbitraries.ts'
import { type Profile, PROFILES, type Protocol, PROTOCOLS } from './protocols.ts'
import { resolve } from './resolve.ts'
import { spell, spellings } from './spell.ts'

const DOTTED: readonly Protocol[] = ['stomp', 'amqp10', 'rest']
const RUNS = { numRuns: 1_000 }

function readBack(text: string | undefined, protocol: Protocol, profile: Profile, purpose: 'send' | 'receive'): string {
  const read = resolve(text, { protocol, profile, purpose })
  return read.ok ? addressKey(read.address) : read.detail.text
}

/** Where the address has no spelling, or one that means another: nowhere. */
function broken(
  address: ParsedAddress,
  protocols: readonly Protocol[],
  purposes: readonly ('send' | 'receive')[],
): string[] {
  const found: string[] = []
  for (const protocol of protocols) {
    for (const profile of PROFILES) {
      const text = spell(address, protocol, profile)
      for (const purpose of purposes) {
        const read = text === undefined ? 'no spelling' : readBack(text, protocol, profile, purpose)
        if (read !== addressKey(address)) found.push(`${protocol} ${profile} ${purpose}: ${text} is ${read}`)
      }
    }
  }
  return found
}

const BOTH = ['send', 'receive'] as const
const READ = ['receive'] as const

describe('what is spelled means the same address', () => {
  test('topics of any levels, in every protocol and profile', () => {
    fc.assert(
      fc.property(levels, (all) => {
        expect(broken(topicAddress(all), PROTOCOLS, BOTH)).toEqual([])
      }),
      RUNS,
    )
  })

  test('patterns, in every protocol and profile', () => {
    fc.assert(
      fc.property(patternLevels, (all) => {
        expect(broken(topicAddress(all), PROTOCOLS, READ)).toEqual([])
      }),
      RUNS,
    )
  })

  test('queues of any name; MQTT has none with + and #', () => {
    fc.assert(
      fc.property(queueName, (name) => {
        const address = queueAddress(name)
        const protocols = /[+#]/.test(name) || /(^|\.)>\./.test(name) ? DOTTED : PROTOCOLS
        expect(broken(address, protocols, address.kind === 'queue-pattern' ? READ : BOTH)).toEqual([])
      }),
      RUNS,
    )
  })

  test('temporary ones and exchanges', () => {
    fc.assert(
      fc.property(listed, (address) => {
        expect(broken(address, DOTTED, address.kind.endsWith('-pattern') ? READ : BOTH)).toEqual([])
      }),
      RUNS,
    )
  })

  test('durable subscriptions and names that clients give to their temporary queues', () => {
    fc.assert(
      fc.property(texts(',?', { minLength: 1 }), (name) => {
        expect(broken({ kind: 'subscription', name }, DOTTED, READ)).toEqual([])
        expect(broken({ kind: 'temp-queue-alias', alias: name }, DOTTED, BOTH)).toEqual([])
        expect(broken({ kind: 'temp-topic-alias', alias: name }, DOTTED, BOTH)).toEqual([])
      }),
    )
    expect(broken({ kind: 'subscription', name: 'a,b?consumer.c=1' }, DOTTED, READ)).toEqual([])
  })

  test('queues at an address, as Artemis writes them', () => {
    fc.assert(
      fc.property(texts(',?:/', { minLength: 1 }), texts(',?', { minLength: 1 }), (address, queue) => {
        expect(broken({ kind: 'fqqn', address, queue }, DOTTED, BOTH)).toEqual([])
      }),
    )
  })

  test('shared subscriptions, in MQTT', () => {
    fc.assert(
      fc.property(texts('/+#', { minLength: 1 }), patternLevels, (group, all) => {
        expect(broken({ kind: 'share', group, levels: all }, ['mqtt'], READ)).toEqual([])
      }),
    )
  })

  test('lists, unless every part needs to be percent-encoded', () => {
    let spelled = 0
    fc.assert(
      fc.property(
        list,
        fc.constantFrom<Protocol>('stomp', 'amqp10'),
        fc.constantFrom<Profile>('activemq', 'artemis'),
        (address, protocol, profile) => {
          const text = spell(address, protocol, profile)
          const isEveryEncoded = address.parts.every((part) => {
            const alone = spell(part, protocol, profile)!
            return /^\/(queues|exchanges)\/|[ \t]$/.test(alone)
          })
          expect(text === undefined).toBe(isEveryEncoded)
          if (text === undefined) return
          spelled++
          expect(readBack(text, protocol, profile, 'receive')).toBe(addressKey(address))
        },
      ),
      RUNS,
    )
    expect(spelled).toBeGreaterThan(RUNS.numRuns / 2)
  })

  test('whatever text means something: its address, spelled, is read as that address', () => {
    const prefix = fc.constantFrom(
      '',
      '/',
      '/topic/',
      '/queue/',
      'topic://',
      'queue://',
      '/exchange/amq.topic/',
      '/queues/',
      '/dsub/',
      '$queue/',
      '$share/',
    )
    fc.assert(
      fc.property(
        prefix,
        texts(''),
        fc.constantFrom(...PROTOCOLS),
        fc.constantFrom(...PROFILES),
        (start, rest, protocol, profile) => {
          const read = resolve(start + rest, { protocol, profile, purpose: 'receive' })
          if (!read.ok || read.address.kind === 'list') return
          const text = spell(read.address, protocol, profile)
          if (text === undefined) return
          expect(readBack(text, protocol, profile, 'receive')).toBe(addressKey(read.address))
        },
      ),
      { numRuns: 5_000 },
    )
  })

  test('a core name and its address are one for one', () => {
    fc.assert(
      fc.property(fc.oneof(levels.map(topicAddress), queueName.map(queueAddress)), (address) => {
        expect(fromCoreName(toCoreName(address)!)).toEqual(address)
      }),
    )
  })
})

describe('spellings', () => {
  test.each([
    [
      topicAddress(['a', 'b']),
      {
        mqtt: 'a/b',
        stomp: '/topic/a.b',
        amqp10: 'topic://a.b',
        'amqp10-rabbitmq': '/exchanges/amq.topic/a.b',
        rest: '/topics/a.b',
      },
    ],
    [
      topicAddress(['v1.2', 'x']),
      {
        mqtt: 'v1.2/x',
        stomp: '/topic/v1/2.x',
        amqp10: 'topic://v1/2.x',
        'amqp10-rabbitmq': '/exchanges/amq.topic/v1%2F2.x',
        rest: '/topics/v1%2F2.x',
      },
    ],
    [
      queueAddress('A.B'),
      {
        mqtt: '$queue/A.B',
        stomp: '/queue/A.B',
        amqp10: 'queue://A.B',
        'amqp10-rabbitmq': '/queues/A.B',
        rest: '/queues/A.B',
      },
    ],
    [
      topicAddress(['a', ONE_LEVEL, ALL_BELOW]),
      {
        mqtt: 'a/+/#',
        stomp: '/topic/a.*.>',
        amqp10: 'topic://a.*.>',
        'amqp10-rabbitmq': '/exchanges/amq.topic/a.*.#',
        rest: '/topics/a.*.>',
      },
    ],
    [
      topicAddress(['', 'japan', 'tokyo']),
      {
        mqtt: '/japan/tokyo',
        stomp: '/topic/.japan.tokyo',
        amqp10: 'topic://.japan.tokyo',
        'amqp10-rabbitmq': '/exchanges/amq.topic/.japan.tokyo',
        rest: '/topics/.japan.tokyo',
      },
    ],
    [
      topicAddress(['Sensor', '*']),
      {
        mqtt: 'Sensor/*',
        stomp: '/topic/Sensor.+',
        amqp10: 'topic://Sensor.+',
        'amqp10-rabbitmq': '/exchanges/amq.topic/Sensor.%2A',
        rest: '/topics/Sensor.%2A',
      },
    ],
    [
      queueAddress('a,b'),
      {
        mqtt: '$queue/a,b',
        stomp: '/queues/a%2Cb',
        amqp10: '/queues/a%2Cb',
        'amqp10-rabbitmq': '/queues/a%2Cb',
        rest: '/queues/a%2Cb',
      },
    ],
    [
      { kind: 'temp-queue', id: '0af9' },
      {
        mqtt: '$queue/$temp/0af9',
        stomp: '/remote-temp-queue/0af9',
        amqp10: 'temp-queue://0af9',
        'amqp10-rabbitmq': '/queues/$temp%2F0af9',
        rest: '/queues/$temp%2F0af9',
      },
    ],
    [
      { kind: 'fqqn', address: 'orders', queue: 'q1' },
      {
        mqtt: undefined,
        stomp: '/queue/orders::q1',
        amqp10: 'orders::q1',
        'amqp10-rabbitmq': 'orders::q1',
        rest: '/queue/orders::q1',
      },
    ],
  ] satisfies [ParsedAddress, object][])('of %j', (address, expected) => {
    expect(spellings(address)).toEqual(expected)
  })

  test("RabbitMQ's clients get names percent-encoded in STOMP", () => {
    expect(spell(queueAddress('a/é'), 'stomp', 'rabbitmq')).toBe('/queue/a%2F%C3%A9')
    expect(spell(topicAddress(['v1.2', ALL_BELOW]), 'stomp', 'rabbitmq')).toBe('/topic/v1%2F2.#')
  })

  test('MQTT has none for a topic that it would take for a shared subscription', () => {
    expect(spell(topicAddress(['$share', 'g', 'a']), 'mqtt')).toBeUndefined()
    expect(spell(topicAddress(['$share', 'g', 'a']), 'stomp')).toBe('/topic/$share.g.a')
  })

  test('a list begins with a part that is not percent-encoded, because only then it is a list', () => {
    const parts = [queueAddress('a,b'), topicAddress(['c', 'd'])]
    expect(spell({ kind: 'list', parts }, 'stomp')).toBe('/topic/c.d,/queues/a%2Cb')
    const blank = [queueAddress('A '), queueAddress('B')]
    expect(spell({ kind: 'list', parts: blank }, 'stomp')).toBe('/queue/B,/queues/A%20')
    expect(spell({ kind: 'list', parts: [queueAddress('a,b'), queueAddress('c,d')] }, 'stomp')).toBeUndefined()
  })

  test('an ordinary character between others changes places also where it is percent-encoded', () => {
    expect(spell(topicAddress(['C**']), 'stomp')).toBe('/topic/C++')
    expect(spell(topicAddress(['C>', 'x']), 'stomp')).toBe('/topic/C#.x')
    expect(spell(topicAddress(['C**']), 'amqp10', 'rabbitmq')).toBe('/exchanges/amq.topic/C%2B%2B')
  })

  test('MQTT has none for a queue whose name holds one of its wildcards', () => {
    expect(spell(queueAddress('C++'), 'mqtt')).toBeUndefined()
  })
})
