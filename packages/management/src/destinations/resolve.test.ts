import { resolveAddress, type ResolveQuery } from '@ternmq/api'
import { beforeEach, describe, expect, it } from 'vitest'
import { DefinitionWorld } from '../../test/definition-world.ts'
import { explainAddress } from './resolve.ts'

let world: DefinitionWorld

beforeEach(async () => {
  world = await DefinitionWorld.open({ config: { listeners: { stomp: { profile: 'rabbitmq' } } } })
})

const ask = (query: ResolveQuery) => world.call(resolveAddress, { query })

describe('resolve', () => {
  it('says what an address means, by which rule, and how others write it', async () => {
    expect(await ask({ address: 'queue://orders', protocol: 'amqp10' })).toEqual({
      ok: true,
      address: '$queue/orders',
      exists: false,
      kind: 'queue',
      means: "queue 'orders'",
      rule: 'scheme',
      ruleText: "The word before '://' says what it is, the rest is its name.",
      spellings: [
        { protocol: 'mqtt', text: '$queue/orders' },
        { protocol: 'stomp', text: '/queue/orders' },
        { protocol: 'amqp10', text: 'queue://orders' },
        { protocol: 'amqp10-rabbitmq', text: '/queues/orders' },
        { protocol: 'rest', text: '/queues/orders' },
      ],
      notes: ['read as clients of activemq mean it (profile)'],
    })
  })

  it('says whether a queue exists, and makes none', async () => {
    const address = { address: 'orders', protocol: 'rest' }
    expect((await ask(address)).exists).toBe(false)
    expect(world.vhost.destinations.count).toBe(0)
    world.define('orders')
    expect((await ask(address)).exists).toBe(true)
  })

  it('has no answer for what is no single name', async () => {
    expect(await ask({ address: 'a/+', protocol: 'mqtt' })).not.toHaveProperty('exists')
    expect(await ask({ address: 'a/+', protocol: 'mqtt' })).not.toHaveProperty('address')
  })

  it('goes by the profile of the listener, or by the one asked for', async () => {
    const { notes } = await ask({ address: '/queue/a', protocol: 'stomp' })
    expect(notes).toEqual(['read as clients of rabbitmq mean it (profile)'])
    const asked = await ask({ address: '/queue/a', protocol: 'stomp', profile: 'artemis' })
    expect(asked.notes).toEqual(['read as clients of artemis mean it (profile)'])
  })

  it('says why an address is refused', async () => {
    const answer = await ask({ address: 'a/#/b', protocol: 'mqtt' })
    expect(answer).toMatchObject({ ok: false, rule: 'mqtt-name', spellings: [] })
    expect(answer.means).toContain("address 'a/#/b'")
    expect(await ask({ address: '/queue/a?consumer.size=1', protocol: 'stomp', profile: 'activemq' })).toMatchObject({
      ok: false,
      means: expect.stringContaining('means nothing here') as string,
    })
  })

  it('tells a delayed topic, and that subscribing does not delay', async () => {
    const sent = await ask({ address: '$delayed/5/a/b', protocol: 'mqtt', purpose: 'send' })
    expect(sent.means).toBe("topic 'a/b', 5 s after it was published")
    expect((await ask({ address: '$delayed/5/a/b', protocol: 'mqtt' })).notes.join()).toContain('subscribe to TOPIC')
  })

  it('gives hints about what was probably meant', async () => {
    const { notes } = await ask({ address: 'a/*', protocol: 'mqtt' })
    expect(notes.join()).toContain("'*' is an ordinary character")
  })

  it('takes what the client says beside the address, and amqp for amqp10', async () => {
    expect(await ask({ address: 'a', protocol: 'amqp', kind: 'topic' })).toMatchObject({
      kind: 'topic',
      rule: 'explicit-kind',
    })
  })

  it('refuses a protocol, profile or kind that there is not', async () => {
    for (const [field, query] of [
      ['protocol', { address: 'a', protocol: 'kafka' }],
      ['profile', { address: 'a', protocol: 'stomp', profile: 'qpid' }],
    ] as const) {
      await expect(ask(query)).rejects.toMatchObject({
        code: 'INVALID',
        more: { field, rule: expect.any(String) as string },
      })
    }
  })

  it('answers without a broker, but for what exists', () => {
    const answer = explainAddress({ address: 'a/b', protocol: 'mqtt' }, world.config, undefined)
    expect(answer).toMatchObject({ ok: true, address: 'a/b' })
    expect(answer).not.toHaveProperty('exists')
  })
})
