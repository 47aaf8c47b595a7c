import { ALL_BELOW, ONE_LEVEL } from '@ternmq/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Destination, queueAddress, topicAddress } from './address.ts'
import { texts } from '../test/arbitraries.ts'
import { type Profile, PROFILES, type Protocol, PROTOCOLS, type Purpose } from './protocols.ts'
import type { ResolveOptions } from './reading.ts'
import { type Resolution, resolve } from './resolve.ts'
import type { RuleId } from './rules.ts'

function receive(text: string, protocol: Protocol, more: Partial<ResolveOptions> = {}): Resolution {
  return resolve(text, { protocol, purpose: 'receive', ...more })
}

function send(text: string, protocol: Protocol, more: Partial<ResolveOptions> = {}): Resolution {
  return resolve(text, { protocol, purpose: 'send', ...more })
}

function refusal(resolution: Resolution): string {
  if (resolution.ok) throw new Error(`not refused: ${JSON.stringify(resolution.address)}`)
  return resolution.detail.text
}

const topic = (...levels: Parameters<typeof topicAddress>[0]): Destination => topicAddress(levels)
const queue = queueAddress

describe('the first rule that fits decides', () => {
  test.each<[string, Protocol, RuleId, Destination]>([
    ['/queues/A.B', 'amqp10', 'encoded-path', queue('A.B')],
    ['/queues/a%2Fb%2C%3A%3A', 'stomp', 'encoded-path', queue('a/b,::')],
    ['/queues/a::b', 'rest', 'encoded-path', queue('a::b')],
    ['/exchanges/amq.topic/v1%2F2.x', 'amqp10', 'encoded-path', topic('v1.2', 'x')],
    ['/exchanges/amq.topic/a%2Eb', 'amqp10', 'encoded-path', topic('a', 'b')],
    ['/exchanges/logs/a%2Fb', 'amqp10', 'encoded-path', { kind: 'exchange', exchange: 'logs', key: 'a/b' }],
    ['/exchanges/logs', 'amqp10', 'encoded-path', { kind: 'exchange', exchange: 'logs', key: undefined }],
    ['/exchanges/amq.topic/a.*', 'amqp10', 'encoded-path', topic('a', ONE_LEVEL)],
    ['/exchanges/amq.topic/a.%2A', 'amqp10', 'encoded-path', topic('a', '*')],
    ['/topics/a.%3E', 'rest', 'encoded-path', topic('a', '>')],
    ['/exchanges/amq.topic/C%2B%2B', 'amqp10', 'encoded-path', topic('C**')],
    ['/topics/v1%2F2.x', 'rest', 'encoded-path', topic('v1.2', 'x')],
    ['/topics/a', 'stomp', 'protocol-default', topic('topics', 'a')],
    ['queue://A.B', 'amqp10', 'scheme', queue('A.B')],
    ['topic://v1/2.x', 'amqp10', 'scheme', topic('v1.2', 'x')],
    ['temp-queue://0a-F', 'amqp10', 'scheme', { kind: 'temp-queue', id: '0a-F' }],
    ['temp-topic://0a-F', 'stomp', 'scheme', { kind: 'temp-topic', id: '0a-F' }],
    ['/queue/A.B', 'stomp', 'prefix', queue('A.B')],
    ['/queue//a/b', 'stomp', 'prefix', queue('/a/b')],
    ['/queue/Consumer.g.VirtualTopic.x', 'stomp', 'prefix', queue('Consumer.g.VirtualTopic.x')],
    ['/topic/a.b', 'stomp', 'prefix', topic('a', 'b')],
    ['/topic/.japan.tokyo', 'stomp', 'prefix', topic('', 'japan', 'tokyo')],
    ['/topic/a..', 'stomp', 'prefix', topic('a', '', '')],
    ['/topic/C++', 'stomp', 'prefix', topic('C**')],
    ['/topic/std::vector', 'stomp', 'prefix', topic('std::vector')],
    ['/topic/100%', 'stomp', 'prefix', topic('100%')],
    ['/amq/queue/q', 'stomp', 'prefix', queue('q')],
    ['/exchange/amq.topic/a.#', 'stomp', 'prefix', topic('a', ALL_BELOW)],
    ['/exchange/logs/a,b', 'stomp', 'prefix', { kind: 'exchange', exchange: 'logs', key: 'a,b' }],
    ['/temp-queue/mine', 'stomp', 'prefix', { kind: 'temp-queue-alias', alias: 'mine' }],
    ['/temp-topic/mine', 'stomp', 'prefix', { kind: 'temp-topic-alias', alias: 'mine' }],
    ['/remote-temp-queue/0a', 'stomp', 'prefix', { kind: 'temp-queue', id: '0a' }],
    ['/remote-temp-topic/0a', 'stomp', 'prefix', { kind: 'temp-topic', id: '0a' }],
    ['/dsub/my, own?', 'stomp', 'prefix', { kind: 'subscription', name: 'my, own?' }],
    ['/queue/orders::q1', 'stomp', 'prefix', { kind: 'fqqn', address: 'orders', queue: 'q1' }],
    ['queue://orders::q1', 'amqp10', 'scheme', { kind: 'fqqn', address: 'orders', queue: 'q1' }],
    ['orders::q1', 'amqp10', 'fqqn', { kind: 'fqqn', address: 'orders', queue: 'q1' }],
    ['a::b::c', 'amqp10', 'fqqn', { kind: 'fqqn', address: 'a', queue: 'b::c' }],
    ['A.B', 'amqp10', 'protocol-default', queue('A.B')],
    ['A.B', 'rest', 'protocol-default', queue('A.B')],
    ['/broker/roomId/1', 'stomp', 'protocol-default', topic('broker', 'roomId', '1')],
    ['broker/roomId/1', 'stomp', 'protocol-default', topic('broker', 'roomId', '1')],
    ['//japan/tokyo', 'stomp', 'protocol-default', topic('', 'japan', 'tokyo')],
    ['Sensor/+/Room1', 'stomp', 'protocol-default', topic('Sensor', ONE_LEVEL, 'Room1')],
    ['/Sensor/#', 'stomp', 'protocol-default', topic('Sensor', ALL_BELOW)],
    ['/v1.2/x', 'stomp', 'protocol-default', topic('v1.2', 'x')],
    ['broker/roomId/1', 'mqtt', 'mqtt-name', topic('broker', 'roomId', '1')],
    ['/japan/tokyo', 'mqtt', 'mqtt-name', topic('', 'japan', 'tokyo')],
    ['/', 'mqtt', 'mqtt-name', topic('', '')],
    ['a/*', 'mqtt', 'mqtt-name', topic('a', '*')],
    ['/topic/a,b', 'mqtt', 'mqtt-name', topic('', 'topic', 'a,b')],
    ['$temp/0a', 'mqtt', 'mqtt-name', { kind: 'temp-topic', id: '0a' }],
    ['$queue/a,b/c', 'mqtt', 'mqtt-queue', queue('a,b/c')],
    ['$queue/$temp/0a', 'mqtt', 'mqtt-queue', { kind: 'temp-queue', id: '0a' }],
    ['$queue/orders.>', 'mqtt', 'mqtt-queue', { kind: 'queue-pattern', name: 'orders.>' }],
    ['$share/g/a/+', 'mqtt', 'mqtt-share', { kind: 'share', group: 'g', levels: ['a', ONE_LEVEL] }],
  ])('%s in %s: %s', (text, protocol, rule, address) => {
    expect(receive(text, protocol)).toMatchObject({ ok: true, rule, address })
  })

  test('what the client says beside the address counts where no form says it', () => {
    expect(send('a.b', 'amqp10', { kindHint: 'topic' })).toMatchObject({
      rule: 'explicit-kind',
      address: topic('a', 'b'),
    })
    expect(send('a.b', 'stomp', { kindHint: 'queue' })).toMatchObject({ rule: 'explicit-kind', address: queue('a.b') })
    expect(send('a,b?consumer.x=1', 'stomp', { kindHint: 'queue' })).toMatchObject({
      address: queue('a,b?consumer.x=1'),
    })
    expect(send('0a', 'amqp10', { kindHint: 'temp-queue' })).toMatchObject({
      address: { kind: 'temp-queue', id: '0a' },
    })
    expect(send('/queue/a', 'stomp', { kindHint: 'topic' })).toMatchObject({ rule: 'prefix', address: queue('a') })
  })

  test("a listener's prefixes come before that, those of queues first", () => {
    const prefixes = { anycast: ['jms.queue.', ''], multicast: ['jms.topic.', 'jms.'] }
    const more = { prefixes, kindHint: 'topic' as const }
    expect(send('jms.queue.A.B', 'amqp10', more)).toMatchObject({ rule: 'listener-prefix', address: queue('A.B') })
    expect(send('jms.topic.a.b', 'amqp10', more)).toMatchObject({ rule: 'listener-prefix', address: topic('a', 'b') })
    expect(send('other', 'amqp10', more)).toMatchObject({ rule: 'explicit-kind', address: topic('other') })
  })

  test('without any of these, what exists; a queue before a topic, and that is said', () => {
    const existing = (...names: string[]): Partial<ResolveOptions> => ({
      exists: (kind, name) => names.includes(`${kind} ${name}`),
    })
    expect(send('a.b', 'amqp10', existing('topic a/b'))).toMatchObject({
      rule: 'existing-node',
      address: topic('a', 'b'),
      notes: [],
    })
    expect(send('a/b', 'stomp', existing('queue a/b'))).toMatchObject({
      rule: 'existing-node',
      address: queue('a/b'),
      notes: [],
    })
    const both = send('a/b', 'stomp', existing('queue a/b', 'topic a/b'))
    expect(both).toMatchObject({
      rule: 'existing-node',
      address: queue('a/b'),
      notes: [expect.stringContaining('a queue') as string],
    })
    expect(send('a,b', 'amqp10', existing('queue a,b'))).toMatchObject({ rule: 'existing-node', address: queue('a,b') })
    expect(send('a*', 'stomp', existing('topic a'))).toMatchObject({ rule: 'protocol-default' })
  })

  test('no address is a new temporary destination, or as each message says', () => {
    expect(resolve(undefined, { protocol: 'amqp10', purpose: 'send' })).toMatchObject({
      address: { kind: 'anonymous' },
    })
    expect(resolve(undefined, { protocol: 'amqp10', purpose: 'receive' })).toMatchObject({
      address: { kind: 'dynamic', of: 'temp-queue' },
    })
    const asked = resolve(undefined, { protocol: 'amqp10', purpose: 'receive', kindHint: 'temp-topic' })
    expect(asked).toMatchObject({ rule: 'no-address', address: { kind: 'dynamic', of: 'temp-topic' } })
  })
})

describe('profiles', () => {
  test.each<[string, Profile, Destination]>([
    ['/topic/a.>', 'activemq', topic('a', ALL_BELOW)],
    ['/topic/a.#', 'activemq', topic('a', ALL_BELOW)],
    ['/topic/a.#.b', 'activemq', topic('a', '>', 'b')],
    ['/topic/a.#', 'artemis', topic('a', ALL_BELOW)],
    ['/topic/a.#', 'rabbitmq', topic('a', ALL_BELOW)],
    ['/topic/a.%23', 'rabbitmq', topic('a', '>')],
    ['/topic/*.a', 'rabbitmq', topic(ONE_LEVEL, 'a')],
    ['/queue/a%2Fb,c', 'rabbitmq', queue('a/b,c')],
    ['/queue/a%2Fb', 'activemq', queue('a%2Fb')],
    ['/queue/a::b', 'rabbitmq', queue('a::b')],
    ['a.b', 'artemis', topic('a', 'b')],
    ['a.b', 'activemq', topic('a.b')],
    ['/a/b', 'artemis', topic('a', 'b')],
  ])('%s in STOMP, %s', (text, profile, address) => {
    expect(receive(text, 'stomp', { profile })).toMatchObject({ ok: true, address })
  })

  test("'>' is no wildcard of Artemis and RabbitMQ, and is not taken for an ordinary character", () => {
    for (const profile of ['artemis', 'rabbitmq'] as const)
      expect(refusal(receive('/topic/a.>', 'stomp', { profile }))).toContain("is written '#'")
  })

  test('a queue that must be there is one of /amq/queue/, and any of /queues/ in profile rabbitmq', () => {
    expect(send('/amq/queue/q', 'stomp')).toMatchObject({ mustExist: true })
    expect(send('/queues/q', 'amqp10', { profile: 'rabbitmq' })).toMatchObject({ mustExist: true })
    expect(send('/queues/q', 'amqp10')).toMatchObject({ mustExist: false })
    expect(send('/queue/q', 'stomp')).toMatchObject({ mustExist: false })
  })
})

describe('lists', () => {
  test('each part may be of any kind; one without a mark is of the kind before it', () => {
    const read = receive('/queue/A,B,/topic/c.d,e.*,queue://F,/queues/g%2Ch', 'stomp')
    const parts = [queue('A'), queue('B'), topic('c', 'd'), topic('e', ONE_LEVEL), queue('F'), queue('g,h')]
    expect(read).toMatchObject({ ok: true, rule: 'prefix', address: { kind: 'list', parts } })
  })

  test('parts without any mark are what the protocol means', () => {
    expect(send('A,topic://b.c,D', 'amqp10')).toMatchObject({
      rule: 'protocol-default',
      address: { kind: 'list', parts: [queue('A'), topic('b', 'c'), queue('D')] },
    })
    expect(send('/a/b,/c', 'stomp')).toMatchObject({ address: { kind: 'list', parts: [topic('a', 'b'), topic('c')] } })
  })

  test('a part that comes twice counts once, and one part is no list', () => {
    expect(send('/queue/A,/queue/A,queue://A', 'stomp')).toMatchObject({ address: queue('A') })
    expect(send('/queue/A,B,A', 'stomp')).toMatchObject({ address: { parts: [queue('A'), queue('B')] } })
  })

  test('blanks around commas are as none', () => {
    expect(send('/queue/A , /topic/b.c,\tD e', 'stomp')).toMatchObject({
      address: { parts: [queue('A'), topic('b', 'c'), topic('D e')] },
    })
    expect(send('/queue/A ', 'stomp')).toMatchObject({ address: queue('A ') })
  })

  test('have at most 64 parts', () => {
    const names = (count: number): string => `/queue/${Array.from({ length: count }, (_, index) => index).join(',')}`
    expect(send(names(64), 'stomp').ok).toBe(true)
    expect(send(names(65), 'stomp')).toMatchObject({ ok: false, rule: 'prefix', detail: { refusal: 'limit-reached' } })
    expect(refusal(send(names(65), 'stomp'))).toContain('lists 65 addresses; a list has at most 64')
  })

  test('there are none in profile rabbitmq, in percent-encoded paths and in MQTT', () => {
    expect(send('/topic/a,b', 'stomp', { profile: 'rabbitmq' })).toMatchObject({ address: topic('a,b') })
    expect(send('/queues/a,b', 'amqp10')).toMatchObject({ address: queue('a,b') })
    expect(send('a,b', 'mqtt')).toMatchObject({ address: topic('a,b') })
  })

  test.each(['/queue/A,', '/queue/,A', '/queue/A,,B', '/queue/A,/dsub/b', '/queue/A,/exchange/e', 'A,/dsub/b'])(
    '%s is refused',
    (text) => {
      expect(refusal(receive(text, 'amqp10'))).toMatch(/its commas is empty|cannot be a part|is missing/)
    },
  )
})

describe('options', () => {
  test('of a consumer are taken off, decoded, in their order', () => {
    expect(receive('/queue/A?consumer.prefetchSize=10&consumer.selector=a%3D1', 'stomp')).toMatchObject({
      address: queue('A'),
      options: [
        ['prefetchSize', '10'],
        ['selector', 'a=1'],
      ],
    })
    expect(receive('A,B?consumer.__proto__=x', 'amqp10')).toMatchObject({
      address: { kind: 'list' },
      options: [['__proto__', 'x']],
    })
  })

  test("a '?' before anything else belongs to the name", () => {
    expect(receive('/queue/what?', 'stomp')).toMatchObject({ address: queue('what?'), options: [] })
    expect(receive('/queue/a?b=c', 'stomp')).toMatchObject({ address: queue('a?b=c') })
    expect(receive('/dsub/a?consumer.b=c', 'stomp')).toMatchObject({ address: { name: 'a?consumer.b=c' } })
  })

  test.each([
    '?consumer.=1',
    '?consumer.a',
    '?consumer.a=1&b=2',
    '?consumer.a=%zz',
    `?${Array.from({ length: 33 }, () => 'consumer.a=1').join('&')}`,
  ])('%s is refused', (text) =>
    expect(refusal(receive(`/queue/A${text}`, 'stomp'))).toMatch(/is no option|not percent-encoded|at most 32/),
  )
})

describe('refused, with a sentence:', () => {
  test.each<[string, Protocol, Purpose, string]>([
    ['', 'stomp', 'send', 'it is empty'],
    ['/queue/', 'stomp', 'send', 'the name of the queue is missing'],
    ['/topic/', 'stomp', 'send', 'the name of the topic is missing'],
    ['/', 'stomp', 'send', 'the name of the topic is missing'],
    ['/dsub/', 'stomp', 'receive', 'the name of the durable subscription is missing'],
    ['/dsub/a', 'stomp', 'send', 'not sent to a subscription'],
    ['/exchange//a', 'stomp', 'send', 'the name of the exchange is missing'],
    ['/exchange/amq.topic', 'stomp', 'send', 'needs a routing key'],
    ['/queues/a/b', 'amqp10', 'send', "written '%2F'"],
    ['/queues/100%', 'amqp10', 'send', 'not percent-encoded'],
    ['/queues/%00', 'amqp10', 'send', 'U+0000'],
    ['/queues/%FF', 'amqp10', 'send', 'not percent-encoded'],
    ['a\0b', 'stomp', 'send', 'U+0000'],
    ['a\ud800', 'stomp', 'send', 'not valid Unicode'],
    ['x'.repeat(65_536), 'stomp', 'send', 'at most 65535'],
    [`/queue/${'x'.repeat(1_025)}`, 'stomp', 'send', 'at most 1024 characters, not 1025'],
    [`/topic/${'.'.repeat(128)}`, 'stomp', 'send', 'it has 129 levels; a topic has at most 128'],
    ['/topic/a.*', 'stomp', 'send', 'a message is sent to one topic'],
    ['/topic/a.>', 'stomp', 'send', 'a message is sent to one topic'],
    ['/topic/a.>.b', 'stomp', 'receive', 'must be the last level'],
    ['/topic/a*', 'stomp', 'receive', 'a whole level by itself'],
    ['/exchanges/amq.topic/a*', 'amqp10', 'receive', 'a whole level by itself'],
    ['/queue/a.*', 'stomp', 'send', 'a pattern of queues'],
    ['/topic/$queue.a', 'stomp', 'send', 'cannot begin with'],
    ['/$queue/a', 'stomp', 'send', 'cannot begin with'],
    ['orders::', 'amqp10', 'receive', 'the queue is missing'],
    ['::orders', 'amqp10', 'receive', 'the address is missing'],
    ['temp-queue://a b', 'amqp10', 'send', 'no id of a temporary queue'],
    ['a/+', 'mqtt', 'send', 'a message is sent to one topic'],
    ['a+/b', 'mqtt', 'receive', 'must be a whole level'],
    ['#/b', 'mqtt', 'receive', "'#' the whole last one"],
    ['$queue/', 'mqtt', 'send', 'the name of the queue is missing'],
    ['$queue/a/+', 'mqtt', 'receive', 'is for topics'],
    ['$queue/>.a', 'mqtt', 'receive', 'must be the whole last level'],
    ['$share/g', 'mqtt', 'receive', 'the filter is missing'],
    ['$share//a', 'mqtt', 'receive', 'no name of a group'],
    ['$share/g+/a', 'mqtt', 'receive', 'no name of a group'],
    ['$share/g/$queue/a', 'mqtt', 'receive', 'shared already'],
  ])('%j in %s', (text, protocol, purpose, sentence) => {
    const resolution = resolve(text, { protocol, purpose })
    expect(refusal(resolution)).toContain(sentence)
    expect(resolution).toMatchObject({ detail: { subject: text } })
  })

  test('a long or unprintable address is shortened and escaped in it', () => {
    const text = refusal(send(`/topic/*\u001b${'x'.repeat(500)}`, 'stomp'))
    expect(text.length).toBeLessThan(400)
    expect(text).toContain('\\u001b')
  })

  test('the caller may allow other numbers of levels', () => {
    expect(send('/topic/a.b', 'stomp', { levelsMax: 1 })).toMatchObject({
      ok: false,
      detail: { refusal: 'limit-reached' },
    })
  })
})

test('whatever the text, the answer is an address or a sentence', () => {
  const anything = fc.oneof(
    fc.string({ unit: 'binary' }),
    texts(''),
    fc.string({ unit: fc.constantFrom('\ud800', '\0', 'a', '%') }),
  )
  const start = fc.constantFrom(
    '',
    ...['/queue/', '/topic/', 'topic://', '/queues/', '/exchanges/', '/exchange/', '$queue/', '$share/', '/dsub/'],
  )
  const purposes = fc.constantFrom<Purpose>('send', 'receive')
  fc.assert(
    fc.property(
      start,
      anything,
      fc.constantFrom(...PROTOCOLS),
      fc.constantFrom(...PROFILES),
      purposes,
      (prefix, rest, protocol, profile, purpose) => {
        const resolution = resolve(prefix + rest, { protocol, profile, purpose })
        if (!resolution.ok) expect(resolution.detail.text).toMatch(/^address '.*': ./)
        else if (resolution.address.kind === 'topic') {
          // What MQTT could not write never gets so far.
          expect(resolution.address.levels.join('/')).not.toMatch(/[+#\0]/)
        }
      },
    ),
    { numRuns: 5_000 },
  )
})
