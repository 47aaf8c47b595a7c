import { describe, expect, test } from 'vitest'

import {
  conditionOf,
  message,
  type Peer,
  section,
  type SenderPeer,
  type SessionPeer,
  World,
  type WorldOptions,
} from '../../harness.ts'

interface Scene {
  readonly world: World
  readonly peer: Peer
  readonly session: SessionPeer
  readonly sender: SenderPeer
}

function sending(fields = {}, options: WorldOptions = {}): Scene {
  const world = new World(options)
  const peer = world.connect()
  const session = peer.begin()
  return { world, peer, session, sender: session.sender('queue://q', fields) }
}

/** What the queue holds, as a receiver gets it. */
function textsIn({ world }: Scene): (string | undefined)[] {
  const receiver = world.connect({ containerId: 'reader' }).begin().receiver('queue://q')
  receiver.grant(100)
  return receiver.texts()
}

/** A message cut into pieces of so many octets. */
function pieces(text: string, size: number): Buffer[] {
  const bytes = message(text)
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  )
}

/** Transfers of one message in pieces. */
function inPieces(sender: SenderPeer, text: string, size: number, first = {}, last = {}): Buffer[] {
  const all = pieces(text, size)
  return all.map((payload, index) => {
    const more = index < all.length - 1
    const fields = more ? { more } : { ...last }
    return index === 0 ? sender.transferFrame('', { payload, ...first, ...fields }) : sender.moreFrame(payload, fields)
  })
}

describe('a delivery', () => {
  test('[AMQP10-2.6.12-c] that is settled is taken, and nothing is said of it', () => {
    const scene = sending()
    scene.sender.send('x', { settled: true })
    expect(scene.peer.received()).toEqual([])
    expect(textsIn(scene)).toEqual(['x'])
  })

  test('[AMQP10-2.6.12-d, AMQP10-3.4.2-b] that is not settled gets a disposition: accepted', () => {
    const { peer, sender } = sending()
    const id = sender.send('x')
    expect(peer.next('disposition')).toMatchObject({ role: true, first: id, state: { kind: 'accepted' } })
  })

  test('[AMQP10-2.7.5-f, AMQP10-2.7.6-f] with receiver mode first is settled by that', () => {
    const { peer, sender } = sending({ rcvSettleMode: 0 })
    sender.send('x')
    expect(peer.next('disposition')).toMatchObject({ settled: true })
  })

  test('[AMQP10-2.7.5-g] with receiver mode second is not: the client settles, then it is forgotten', () => {
    const { peer, session, sender } = sending({ rcvSettleMode: 1 })
    const id = sender.send('x')
    expect(peer.next('disposition')).toMatchObject({ first: id, settled: false, state: { kind: 'accepted' } })
    peer.send(session.dispositionFrame(false, id, { kind: 'accepted' }))
    expect(peer.received()).toEqual([])
  })

  test('[AMQP10-2.7.5-g] may say second itself on a link with second, and first', () => {
    const { peer, sender } = sending({ rcvSettleMode: 1 })
    sender.send('x', { rcvSettleMode: 1 })
    expect(peer.next('disposition')).toMatchObject({ settled: false })
    sender.send('y', { rcvSettleMode: 0 })
    expect(peer.next('disposition')).toMatchObject({ settled: true })
  })

  test('[AMQP10-2.7.5-h] that says second on a link with first is an error', () => {
    const { peer, sender } = sending({ rcvSettleMode: 0 })
    sender.send('x', { rcvSettleMode: 1 })
    expect(conditionOf(peer.next('detach'))).toBe('amqp:invalid-field')
  })

  test('[AMQP10-2.7.5-n] that is settled may say what it likes of the receiver mode', () => {
    const { world, peer, sender } = sending({ rcvSettleMode: 0 })
    sender.send('x', { settled: true, rcvSettleMode: 1 })
    expect(peer.received()).toEqual([])
    expect(world.queue('q').waitingCount).toBe(1)
  })

  test('[AMQP10-2.7.5-d] on a link with sender mode settled that is not settled is an error', () => {
    const { peer, sender } = sending({ sndSettleMode: 1 })
    sender.send('x', { settled: true })
    expect(peer.received()).toEqual([])
    sender.send('y')
    expect(conditionOf(peer.next('detach'))).toBe('amqp:invalid-field')
  })

  test('[AMQP10-2.7.5-e] on a link with sender mode unsettled that is settled is an error', () => {
    const { peer, sender } = sending({ sndSettleMode: 0 })
    sender.send('x', { settled: true })
    expect(conditionOf(peer.next('detach'))).toBe('amqp:invalid-field')
  })

  test('[AMQP10-2.7.6-a, AMQP10-2.7.6-c] and its neighbours, also of other links, may be settled by one disposition', () => {
    const { peer, session, sender } = sending()
    const other = session.sender('queue://other')
    peer.send(sender.transferFrame('a'), other.transferFrame('b'), sender.transferFrame('c'))
    const settled = peer.takeAll('disposition').flatMap(({ first, last }) => [first, last ?? first])
    expect([Math.min(...(settled as number[])), Math.max(...(settled as number[]))]).toEqual([0, 2])
  })

  test('[AMQP10-2.6.12-a] may have any tag of up to 32 octets, none at all among them', () => {
    const { world, peer, sender } = sending()
    for (const tag of ['', 'a', 'x'.repeat(32)]) sender.send('x', { deliveryTag: tag })
    expect(world.queue('q').waitingCount).toBe(3)
    expect(peer.received().map(({ kind }) => kind)).not.toContain('detach')
  })

  test('[AMQP10-2.8.7-a] with a tag of 33 octets is an error', () => {
    const { world, peer, sender } = sending()
    sender.send('x', { deliveryTag: 'x'.repeat(33) })
    expect(peer.closeCondition()).toBe('amqp:invalid-field')
    expect(world.queue('q').waitingCount).toBe(0)
  })

  test.each(['deliveryId', 'deliveryTag'])('[AMQP10-2.7.5-a] without %s is an error', (field) => {
    const { world, peer, sender } = sending()
    sender.send('x', { [field]: undefined })
    expect(conditionOf(peer.next('detach'))).toBe('amqp:invalid-field')
    expect(world.queue('q').waitingCount).toBe(0)
  })

  test('[AMQP10-2.6.11-a] of another message-format than 0 detaches the link with not-implemented: nobody could read it', () => {
    const { world, peer, sender } = sending()
    sender.send('x', { messageFormat: 0x123400 })
    expect(conditionOf(peer.next('detach'))).toBe('amqp:not-implemented')
    expect(world.queue('q').waitingCount).toBe(0)
  })

  test('[AMQP10-2.6.12-b] with an id that is not the next one is known by its own', () => {
    const { peer, sender } = sending()
    sender.send('x', { deliveryId: 50 })
    expect(peer.next('disposition')).toMatchObject({ first: 50, state: { kind: 'accepted' } })
  })
})

describe('a delivery in several transfers', () => {
  test('[AMQP10-2.6.14-a] is one message', () => {
    const scene = sending()
    const text = 'abcdefghij'.repeat(50)
    scene.peer.send(...inPieces(scene.sender, text, 64))
    expect(scene.peer.next('disposition')).toMatchObject({ first: 0, state: { kind: 'accepted' } })
    expect(textsIn(scene)).toEqual([text])
  })

  test('[AMQP10-2.6.14-a] of one octet each is one message', () => {
    const scene = sending()
    scene.peer.send(...inPieces(scene.sender, 'hello', 1))
    expect(textsIn(scene)).toEqual(['hello'])
  })

  test('[AMQP10-2.6.14-a] may have empty ones, the last one too', () => {
    const scene = sending()
    const none = Buffer.alloc(0)
    scene.peer.send(
      scene.sender.transferFrame('', { payload: none, more: true }),
      scene.sender.moreFrame(message('x'), { more: true }),
      scene.sender.moreFrame(none),
    )
    expect(textsIn(scene)).toEqual(['x'])
  })

  test('[AMQP10-2.7.5-b] may name its id, tag and format again', () => {
    const scene = sending()
    const [first, second] = pieces('hello', 6) as [Buffer, Buffer]
    const named = { deliveryId: 0, deliveryTag: Buffer.alloc(4), messageFormat: 0 }
    scene.peer.send(
      scene.sender.transferFrame('', { payload: first, more: true }),
      scene.sender.moreFrame(second, named),
    )
    expect(textsIn(scene)).toEqual(['hello'])
  })

  test.each([{ deliveryId: 1 }, { deliveryTag: 'other' }, { messageFormat: 7 }])(
    '[AMQP10-2.7.5-b, AMQP10-2.6.14-b] and %o in a later one is an error',
    (other) => {
      const scene = sending()
      const [first, second] = pieces('hello', 6) as [Buffer, Buffer]
      scene.peer.send(
        scene.sender.transferFrame('', { payload: first, more: true }),
        scene.sender.moreFrame(second, other),
      )
      expect(conditionOf(scene.peer.next('detach'))).toBe('amqp:not-allowed')
      expect(textsIn(scene)).toEqual([])
    },
  )

  test('[AMQP10-2.6.14-c] may mingle with those of another link', () => {
    const scene = sending()
    const other = scene.session.sender('queue://q')
    const [a, b] = [inPieces(scene.sender, 'first message', 5), inPieces(other, 'second message', 5)]
    scene.peer.send(
      ...a.flatMap((piece, index) => [piece, ...(b[index] === undefined ? [] : [b[index]])]),
      ...b.slice(a.length),
    )
    expect(
      scene.peer.takeAll('disposition').every(({ state }) => (state as { kind: string }).kind === 'accepted'),
    ).toBe(true)
    expect(new Set(textsIn(scene))).toEqual(new Set(['first message', 'second message']))
  })

  test('[AMQP10-2.6.14-c] may mingle with those of another session', () => {
    const scene = sending()
    const other = scene.peer.begin().sender('queue://q')
    const [a, b] = [inPieces(scene.sender, 'first', 6), inPieces(other, 'other', 6)]
    scene.peer.send(a[0]!, b[0]!, a[1]!, b[1]!)
    expect(new Set(textsIn(scene))).toEqual(new Set(['first', 'other']))
  })

  test('[AMQP10-2.6.14-d, AMQP10-2.7.5-l] that is aborted leaves nothing, its payload neither, and gets no disposition', () => {
    const scene = sending()
    const [first, second] = pieces('hello', 6) as [Buffer, Buffer]
    scene.peer.send(
      scene.sender.transferFrame('', { payload: first, more: true }),
      scene.sender.moreFrame(second, { aborted: true }),
    )
    expect(scene.peer.received()).toEqual([])
    scene.sender.send('next')
    expect(textsIn(scene)).toEqual(['next'])
  })

  test('[AMQP10-2.7.5-l] that is aborted by its only transfer leaves nothing', () => {
    const scene = sending()
    scene.sender.send('x', { aborted: true })
    scene.sender.send('next')
    expect(scene.peer.takeAll('disposition')).toMatchObject([{ first: 1 }])
    expect(textsIn(scene)).toEqual(['next'])
  })

  test('[AMQP10-2.7.5-m] that is aborted with more is over', () => {
    const scene = sending()
    const [first, second] = pieces('hello', 6) as [Buffer, Buffer]
    scene.peer.send(
      scene.sender.transferFrame('', { payload: first, more: true }),
      scene.sender.moreFrame(second, { aborted: true, more: true }),
    )
    scene.sender.send('next')
    expect(textsIn(scene)).toEqual(['next'])
  })

  test('[AMQP10-2.7.5-l] may be aborted where every delivery has to be unsettled', () => {
    const scene = sending({ sndSettleMode: 0 })
    const [first] = pieces('hello', 6) as [Buffer]
    scene.peer.send(
      scene.sender.transferFrame('', { payload: first, more: true }),
      scene.sender.moreFrame(Buffer.alloc(0), { aborted: true, settled: true }),
    )
    scene.sender.send('next')
    expect(textsIn(scene)).toEqual(['next'])
  })

  test.each([
    ['the first', { settled: true }, {}],
    ['the last', {}, { settled: true }],
  ])('[AMQP10-2.7.5-c] is settled when %s says so', (_, first, last) => {
    const scene = sending()
    scene.peer.send(...inPieces(scene.sender, 'hello', 4, first, last))
    expect(scene.peer.received()).toEqual([])
    expect(textsIn(scene)).toEqual(['hello'])
  })

  test('[AMQP10-2.7.5-c] is settled once one has said so, whatever the last says', () => {
    const scene = sending()
    scene.peer.send(...inPieces(scene.sender, 'hello', 4, { settled: true }, { settled: undefined }))
    expect(scene.peer.received()).toEqual([])
  })

  test('[AMQP10-2.7.3-g] beyond max-message-size detaches the link as soon as it is', () => {
    const scene = sending({}, { settings: { maxMessageBytes: 100 } })
    expect(scene.sender.answer).toMatchObject({ maxMessageSize: 100 })
    scene.peer.send(
      scene.sender.transferFrame('', { payload: Buffer.alloc(60), more: true }),
      scene.sender.moreFrame(Buffer.alloc(60), { more: true }),
    )
    expect(conditionOf(scene.peer.next('detach'))).toBe('amqp:link:message-size-exceeded')
    expect(textsIn(scene)).toEqual([])
  })

  test('[AMQP10-2.7.3-g] of just max-message-size is taken', () => {
    const scene = sending({}, { settings: { maxMessageBytes: 100 } })
    scene.sender.send('x'.repeat(95))
    expect(scene.peer.next('disposition')['state']).toEqual({ kind: 'accepted' })
  })

  test('that does not end in time has its link detached', () => {
    const { world, peer, sender } = sending({}, { settings: { messageTimeoutMs: 10_000 } })
    peer.send(sender.transferFrame('', { payload: Buffer.alloc(10), more: true }))
    world.advance(9_000)
    expect(peer.waiting).toEqual([])
    world.advance(3_000)
    expect(conditionOf(peer.next('detach'))).toBe('amqp:resource-limit-exceeded')
  })

  test('whose link ends meanwhile leaves nothing', () => {
    const scene = sending()
    scene.peer.send(scene.sender.transferFrame('', { payload: message('x'), more: true }), scene.sender.detachFrame())
    expect(scene.peer.next('detach')).toBeDefined()
    expect(textsIn(scene)).toEqual([])
    expect(scene.world.clock.timerCount).toBeLessThanOrEqual(2)
  })

  test('of several megabytes is one message', () => {
    const scene = sending()
    const text = 'x'.repeat(3_000_000)
    scene.peer.send(...inPieces(scene.sender, text, 100_000))
    expect(scene.peer.next('disposition')['state']).toEqual({ kind: 'accepted' })
    expect(textsIn(scene)[0]).toHaveLength(3_000_000)
  })
})

describe('a transfer', () => {
  test('[AMQP10-2.8.17-b] for a handle without a link ends the session with unattached-handle', () => {
    const { peer, session } = sending()
    peer.send(
      session.frame(
        'transfer',
        { handle: 9, deliveryId: 0, deliveryTag: 't', messageFormat: 0 },
        { payload: message('x') },
      ),
    )
    expect(conditionOf(peer.next('end'))).toBe('amqp:session:unattached-handle')
  })

  test('on the link of a receiver ends the session with errant-link', () => {
    const { peer, session } = sending()
    const receiver = session.receiver('queue://q')
    peer.send(
      session.frame(
        'transfer',
        { handle: receiver.handle, deliveryId: 0, deliveryTag: 't', messageFormat: 0 },
        { payload: message('x') },
      ),
    )
    expect(conditionOf(peer.next('end'))).toBe('amqp:session:errant-link')
  })

  test('[AMQP10-2.7.5-j] that resumes what is not known here leaves nothing behind', () => {
    const scene = sending()
    scene.sender.send('x', { resume: true })
    expect(conditionOf(scene.peer.next('detach'))).toBe('amqp:not-implemented')
    expect(textsIn(scene)).toEqual([])
  })

  test('[AMQP10-2.8.15-a] whose message cannot be read detaches the link with decode-error', () => {
    const scene = sending()
    scene.sender.send('', { payload: Buffer.from('0053750000', 'hex') })
    expect(conditionOf(scene.peer.next('detach'))).toBe('amqp:decode-error')
    expect(textsIn(scene)).toEqual([])
  })

  test('without any section is a message without body', () => {
    const scene = sending()
    scene.sender.send('', { payload: Buffer.alloc(0) })
    expect(scene.peer.next('disposition')['state']).toEqual({ kind: 'accepted' })
    expect(textsIn(scene)).toEqual([undefined])
  })

  test('[AMQP10-2.7.5-i] with a state that is terminal already tells of it: the delivery is as it was told', () => {
    const scene = sending()
    scene.sender.send('x', { state: { kind: 'accepted' }, settled: true })
    expect(scene.peer.received()).toEqual([])
    expect(textsIn(scene)).toEqual(['x'])
  })

  test('sections may come in one transfer after another', () => {
    const scene = sending()
    scene.peer.send(
      scene.sender.transferFrame('', {
        payload: message({ header: { durable: true }, data: '' }).subarray(0, 7),
        more: true,
      }),
      scene.sender.moreFrame(section('data', Buffer.from('x')).bytes),
    )
    expect(textsIn(scene)).toEqual(['x'])
  })
})
