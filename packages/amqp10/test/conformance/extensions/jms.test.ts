import { describe, expect, test } from 'vitest'

import type { Headers } from '@ternmq/core'

import {
  byte,
  conditionOf,
  type Fields,
  type Peer,
  type Plain,
  type SessionPeer,
  value,
  World,
  type WorldOptions,
} from '../../harness.ts'
import { aText } from '../matchers.ts'

interface Scene {
  readonly world: World
  readonly peer: Peer
  readonly session: SessionPeer
}

function begun(options: WorldOptions = {}, open: Fields = {}): Scene {
  const world = new World(options)
  const peer = world.connect(open)
  return { world, peer, session: peer.begin() }
}

const SOLE = 'sole-connection-for-container'

describe('a container', () => {
  test('[AMQPJMS-Connection-a, AMQPJMS-Connection-c] that wants to be the only one is refused while another of its name is there', () => {
    const world = new World()
    const first = world.dial()
    first.exchangeHeaders()
    expect(first.open({ containerId: 'client-1', desiredCapabilities: SOLE })['offeredCapabilities']).toContain(SOLE)
    const second = world.dial()
    second.exchangeHeaders()
    second.send(second.openFrame({ containerId: 'client-1', desiredCapabilities: SOLE }))
    expect(second.next('open')).toMatchObject({ properties: { 'amqp:connection-establishment-failed': true } })
    expect(second.closed()['error']).toMatchObject({
      condition: 'amqp:invalid-field',
      info: { 'invalid-field': 'container-id' },
    })
    expect(first.isClosed).toBe(false)
  })

  test('[AMQPJMS-Connection-a] may come back when the first is gone', () => {
    const world = new World()
    const open = { containerId: 'client-1', desiredCapabilities: SOLE }
    world.connect(open).close()
    expect(world.connect(open).isClosed).toBe(false)
    const third = world.connect({ containerId: 'client-2', desiredCapabilities: SOLE })
    third.vanish()
    expect(world.connect({ containerId: 'client-2', desiredCapabilities: SOLE }).isClosed).toBe(false)
  })

  test('[AMQPJMS-Connection-b] that wishes for nothing is not told that it is the only one', () => {
    const peer = new World().dial()
    peer.exchangeHeaders()
    expect(peer.open({ containerId: 'c' })['offeredCapabilities']).not.toContain(SOLE)
  })
})

describe('destinations', () => {
  test.each<[string, string]>([
    ['queue', '$queue/x'],
    ['topic', 'x'],
  ])('[AMQPJMS-Destinations-a] the capability %s says what a bare name is', (capability, published) => {
    const { world, session } = begun()
    const receiver = session.receiver(null, { source: { kind: 'source', address: 'x', capabilities: capability } })
    receiver.grant(1)
    world.publish(published, 'hello')
    expect(receiver.texts()).toEqual(['hello'])
  })

  test('[AMQPJMS-Destinations-a] a bare name without capability is a queue', () => {
    const { world, session } = begun()
    session.sender('x').send('hello', { settled: true })
    expect(world.queue('x').waitingCount).toBe(1)
  })

  test('[AMQPJMS-Destinations-a] a prefix says it as well, and counts more', () => {
    const { session } = begun()
    const receiver = session.receiver(null, { source: { kind: 'source', address: 'topic://x', capabilities: 'topic' } })
    receiver.grant(1)
    session.sender(null, { target: { kind: 'target', address: 'topic://x' } }).send('hello', { settled: true })
    expect(receiver.texts()).toEqual(['hello'])
  })

  test('[AMQPJMS-Destinations-b] temporary-queue: a dynamic node whose messages wait', () => {
    const { session } = begun()
    const maker = session.sender(null, {
      target: {
        kind: 'target',
        dynamic: true,
        capabilities: 'temporary-queue',
        expiryPolicy: 'link-detach',
        dynamicNodeProperties: { 'lifetime-policy': { kind: 'delete-on-close' } },
      },
    })
    expect(maker.answer['target']).toMatchObject({ dynamic: true, address: aText, capabilities: ['temporary-queue'] })
    const { address } = maker.answer['target'] as { address: string }
    session.sender(address).send('waits', { settled: true })
    const receiver = session.receiver(address)
    receiver.grant(1)
    expect(receiver.texts()).toEqual(['waits'])
  })

  test('[AMQPJMS-Destinations-b] temporary-topic: a dynamic node that each receiver gets all of', () => {
    const { session } = begun()
    const maker = session.sender(null, { target: { kind: 'target', dynamic: true, capabilities: 'temporary-topic' } })
    expect(maker.answer['target']).toMatchObject({ capabilities: ['temporary-topic'] })
    const { address } = maker.answer['target'] as { address: string }
    const receivers = [1, 2].map(() => session.receiver(address))
    for (const receiver of receivers) receiver.grant(1)
    session.sender(address).send('x', { settled: true })
    expect(session.peer.takeAll('transfer')).toHaveLength(2)
  })

  test('[AMQPJMS-Destinations-b] temporary ones of another connection can be sent to, not received from', () => {
    const { world, session } = begun()
    const maker = session.sender(null, { target: { kind: 'target', dynamic: true, capabilities: 'temporary-queue' } })
    const { address } = maker.answer['target'] as { address: string }
    const other = world.connect({ containerId: 'other' }).begin()
    other.sender(address).send('x', { settled: true })
    other.peer.send(other.newReceiver(address).attachFrame())
    other.peer.next('attach')
    expect(conditionOf(other.peer.next('detach'))).toBe('amqp:unauthorized-access')
  })
})

describe('subscriptions', () => {
  const durable = (name: string, fields: Fields = {}): Fields => ({
    name,
    source: {
      kind: 'source',
      address: 'topic://t',
      durable: 2,
      expiryPolicy: 'never',
      capabilities: 'topic',
      ...fields,
    },
  })

  test('[AMQPJMS-Subscriptions-a] a durable one goes on after detach, for the same client id and name', () => {
    const { world, peer, session } = begun({}, { containerId: 'client-1' })
    session.receiver(null, durable('sub')).detach({ closed: false })
    world.publish('t', 'a')
    peer.close()
    world.publish('t', 'b')
    const again = world.connect({ containerId: 'client-1' }).begin().receiver(null, durable('sub'))
    again.grant(5)
    expect(again.texts()).toEqual(['a', 'b'])
  })

  test('[AMQPJMS-Subscriptions-a] a durable one of another client id is another', () => {
    const { world, session } = begun({}, { containerId: 'client-1' })
    session.receiver(null, durable('sub')).detach({ closed: false })
    world.publish('t', 'a')
    const other = world.connect({ containerId: 'client-2' }).begin().receiver(null, durable('sub'))
    other.grant(5)
    expect(other.texts()).toEqual([])
  })

  test('[AMQPJMS-Subscriptions-b] a detach with closed ends it', () => {
    const { world, session } = begun({}, { containerId: 'client-1' })
    session.receiver(null, durable('sub')).detach({ closed: true })
    world.publish('t', 'a')
    const again = session.receiver(null, durable('sub'))
    again.grant(5)
    expect(again.texts()).toEqual([])
  })

  test('[AMQPJMS-Subscriptions-c] an attach without source tells whether it is there; closed, it is gone', () => {
    const { world, session, peer } = begun({}, { containerId: 'client-1' })
    session.receiver(null, durable('sub')).detach({ closed: false })
    const lookup = session.receiver(null, { name: 'sub', source: undefined })
    expect(lookup.answer['source']).toMatchObject({
      kind: 'source',
      address: 'topic://t',
      durable: 2,
      expiryPolicy: 'never',
    })
    lookup.detach({ closed: true })
    peer.send(session.newReceiver(null, { name: 'sub', source: undefined }).attachFrame())
    expect(peer.next('attach')['source']).toBeUndefined()
    expect(conditionOf(peer.next('detach'))).toBe('amqp:not-found')
    world.publish('t', 'a')
    const again = session.receiver(null, durable('sub'))
    again.grant(5)
    expect(again.texts()).toEqual([])
  })

  test('[AMQPJMS-Subscriptions-d] a shared one gives each message to one of its links', () => {
    const { world } = begun()
    const session = world.connect({ containerId: 'client-1' }).begin()
    const links = ['sub', 'sub|2'].map((name) =>
      session.receiver(null, durable(name, { capabilities: ['topic', 'shared'] })),
    )
    for (const link of links) link.grant(10)
    for (let index = 0; index < 10; index++) world.publish('t', `${index}`)
    const got = session.peer.takeAll('transfer')
    expect(got).toHaveLength(10)
    expect(new Set(got.map(({ handle }) => handle)).size).toBe(2)
  })

  test('[AMQPJMS-Subscriptions-d] a shared one with global is shared over client ids', () => {
    const { world } = begun()
    const links = ['client-1', 'client-2'].map((containerId) =>
      world
        .connect({ containerId })
        .begin()
        .receiver(null, durable('sub|global', { capabilities: ['topic', 'shared', 'global'] })),
    )
    for (const link of links) link.grant(10)
    for (let index = 0; index < 10; index++) world.publish('t', `${index}`)
    const counts = links.map((link) => link.takeAll().length)
    expect(counts[0]! + counts[1]!).toBe(10)
    expect(Math.min(...counts)).toBeGreaterThan(0)
  })

  test('[AMQPJMS-Subscriptions-d] a shared one that is not durable ends with its last link', () => {
    const { world, session } = begun()
    const fields = {
      name: 'sub|volatile1',
      source: { kind: 'source', address: 'topic://t', capabilities: ['topic', 'shared'] },
    }
    session.receiver(null, fields).detach({ closed: true })
    world.publish('t', 'a')
    const again = session.receiver(null, fields)
    again.grant(5)
    expect(again.texts()).toEqual([])
  })
})

describe('messages', () => {
  test('[AMQPJMS-Messages-a] their annotations go on untouched', () => {
    const { session } = begun()
    const receiver = session.receiver('queue://q')
    receiver.grant(1)
    const annotations = { 'x-opt-jms-msg-type': byte(5), 'x-opt-jms-dest': byte(0), 'x-opt-jms-reply-to': byte(2) }
    session.sender('queue://q').send({ messageAnnotations: annotations, value: 'text' }, { settled: true })
    const { messageAnnotations, typed } = receiver.take().message
    expect(messageAnnotations).toMatchObject({ 'x-opt-jms-msg-type': 5, 'x-opt-jms-dest': 0, 'x-opt-jms-reply-to': 2 })
    expect(typed.messageAnnotations!.bytes.includes(Buffer.from([0x51, 5]))).toBe(true)
  })

  test.each<[string, Plain, number]>([
    ['text', 'words', 5],
    ['a map', new Map<Plain, Plain>([['a', 1]]), 2],
    ['an object', Buffer.from('object'), 1],
  ])('[AMQPJMS-Messages-a] %s is what it was', (_, given, type) => {
    const { session } = begun()
    const receiver = session.receiver('queue://q')
    receiver.grant(1)
    session
      .sender('queue://q')
      .send({ messageAnnotations: { 'x-opt-jms-msg-type': byte(type) }, value: given }, { settled: true })
    const { typed, messageAnnotations } = receiver.take().message
    expect(messageAnnotations).toMatchObject({ 'x-opt-jms-msg-type': type })
    expect(typed.value!.bytes).toEqual(value(given).bytes)
  })

  test.each([
    ['text, with an amqp-value string', true, [5]],
    ['bytes, with data, which needs no other word for it', undefined, [3, undefined]],
  ])('[AMQPJMS-Messages-b] of other protocols come as %s', (_, text, types) => {
    const { world, session } = begun()
    const receiver = session.receiver('queue://q')
    receiver.grant(1)
    const codec = {
      id: 'elsewhere',
      decode: (): Headers => ({ ...(text && { text }), properties: [['k', 'v']] }),
      encode: (): Uint8Array => new Uint8Array(0),
    }
    world.publishAs('$queue/q', codec, new Uint8Array(0), Buffer.from('hello'))
    const got = receiver.take().message
    expect(text ? got.value : got.text).toBe('hello')
    expect(got.applicationProperties).toEqual({ k: 'v' })
    expect(types).toContain(got.messageAnnotations?.['x-opt-jms-msg-type'])
  })

  test.each([
    ['x-opt-delivery-delay', (): number => 5_000],
    ['x-opt-delivery-time', (now: number): number => now + 5_000],
  ])('[AMQPJMS-Messages-c] %s holds a message back until then', (name, at) => {
    const { world, session } = begun()
    const receiver = session.receiver('queue://q')
    receiver.grant(1)
    session
      .sender('queue://q')
      .send({ messageAnnotations: { [name]: at(world.clock.wallMs()) }, data: 'later' }, { settled: true })
    world.advance(4_000)
    expect(receiver.texts()).toEqual([])
    world.advance(2_000)
    expect(receiver.texts()).toEqual(['later'])
  })
})
