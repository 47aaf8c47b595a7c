import { type AccessTurn, changeConfig, listConfig, putPermission } from '@ternmq/api'
import { beforeEach, describe, expect, it } from 'vitest'
import { callerOf, DefinitionWorld } from '../../test/definition-world.ts'

let world: DefinitionWorld

beforeEach(async () => {
  world = await DefinitionWorld.open()
})

const change = (changes: Record<string, unknown>, everybody?: AccessTurn) =>
  world.call(changeConfig, { body: { changes, everybody } })
const item = async (key: string) =>
  (await world.call(listConfig, { query: { q: key } })).items.find((each) => each.key === key)!

describe('the configuration for whoever only looks', () => {
  const viewer = callerOf('vic', ['read'], 'viewer')

  it('has no setting whose name says that its value is a secret or leads to one', async () => {
    await change(
      {
        'tracing.headers': ['authorization: Bearer hunter2'],
        'tracing.endpoint': 'https://otel.example.com/v1/traces?key=hunter2',
        'auth.rules': [{ user: 'ann', allow: ['read'], topics: ['hunter2/#'] }],
        'listeners.mqtts.tls.cert': '/etc/cert.pem',
        'listeners.mqtts.tls.key': '/etc/hunter2.pem',
      },
      'limited',
    )
    const { items } = await world.call(listConfig, { query: {}, caller: viewer })
    const telling = items.filter(({ key }) =>
      /password|passphrase|secret|token|credential|\.headers$|\bkey$|rules$/i.test(key),
    )
    expect(telling.length).toBeGreaterThan(2)
    for (const { key, value } of telling) expect([key, value]).toEqual([key, undefined])
    expect(JSON.stringify(items)).not.toContain('hunter2')
    const hidden = items.flatMap(({ key, hidden: why }) => (why === undefined ? [] : [`${key} ${why}`]))
    expect(hidden.toSorted()).toEqual([
      'auth.rules administrators',
      'listeners.mqtts.tls.key administrators',
      'tracing.endpoint administrators',
      'tracing.headers secret',
    ])
  })

  it('shows no secret by a search for it, and administrators see all but secrets', async () => {
    await change({ 'auth.rules': [{ user: 'ann', allow: ['read'], topics: ['hunter2/#'] }] }, 'limited')
    expect((await world.call(listConfig, { query: { q: 'hunter2' }, caller: viewer })).items).toEqual([])
    expect(await item('auth.rules')).toMatchObject({ value: [{ topics: ['hunter2/#'] }] })
    expect(await item('auth.rules')).not.toHaveProperty('hidden')
  })
})

describe('the configuration', () => {
  it('is shown with value, default, source, meaning and what is allowed', async () => {
    expect(await item('mqtt.maxQos')).toEqual({
      key: 'mqtt.maxQos',
      value: 2,
      defaultValue: 2,
      source: 'default',
      description: expect.any(String) as string,
      allowed: 'a whole number from 0 to 2',
      reload: 'connection',
    })
  })

  it('is found by key and by meaning', async () => {
    const { items } = await world.call(listConfig, { query: { q: 'MAXQOS' } })
    expect(items.map(({ key }) => key)).toEqual(['mqtt.maxQos'])
    expect((await world.call(listConfig, { query: { q: 'dead' } })).items.length).toBeGreaterThan(1)
  })

  it('is changed over everything that was given, at once and after the next start', async () => {
    expect(await change({ 'mqtt.maxQos': 1 })).toEqual({ applied: ['mqtt.maxQos'], afterRestart: [] })
    expect(await item('mqtt.maxQos')).toMatchObject({ value: 1, source: 'api' })
    await world.restart()
    expect([...world.definitions.settings.all]).toEqual([['mqtt.maxQos', 1]])
    expect((await world.call(listConfig, { query: { changed: true } })).items.map(({ key }) => key)).toEqual([
      'mqtt.maxQos',
    ])
    expect(world.notes).toEqual(['mqtt.maxQos = 1'])
  })

  it('is as before when a change is taken back, and other changes stay', async () => {
    await change({ 'mqtt.maxQos': 1, 'stomp.prefetch': 7 })
    await change({ 'mqtt.maxQos': null })
    expect(await item('mqtt.maxQos')).toMatchObject({ value: 2, source: 'default' })
    expect(await item('stomp.prefetch')).toMatchObject({ value: 7, source: 'api' })
    expect(world.notes.at(-1)).toBe('mqtt.maxQos taken back')
  })

  it('tells what waits for the next start', async () => {
    const before = await item('listeners.mqtt.port')
    const running = world.config
    await change({ 'listeners.mqtt.port': 1_884 })
    world.config = running // as apps/broker: it counts later
    expect(await item('listeners.mqtt.port')).toMatchObject({
      value: before.value,
      valueAfterRestart: 1_884,
      source: 'api',
    })
  })

  it('does not say that something waits because its defaults were left out, or its path is a relative one', async () => {
    await change(
      {
        'auth.rules': [{ user: 'ann', allow: ['read'], topics: ['#'] }],
        'listeners.mqtts.tls.cert': 'a.pem',
        'listeners.mqtts.tls.key': 'b.pem',
      },
      'limited',
    )
    expect(await item('auth.rules')).toMatchObject({ value: [{ user: 'ann', deny: [] }] })
    for (const key of ['auth.rules', 'listeners.mqtts.tls.cert'])
      expect(await item(key)).not.toHaveProperty('valueAfterRestart')
  })

  it('answers about the settings of this change only', async () => {
    await change({ 'stomp.prefetch': 7 })
    world.config = (await DefinitionWorld.open()).config // as if the first one waited
    expect(await change({ 'mqtt.maxQos': 1 })).toEqual({ applied: ['mqtt.maxQos'], afterRestart: [] })
  })

  it('is changed as a whole or not at all', async () => {
    await expect(change({ 'stomp.prefetch': 7, 'mqtt.maxQos': 9, 'mqtt.maxQuos': 1 })).rejects.toMatchObject({
      code: 'INVALID',
      message: 'mqtt.maxQos is 9; allowed is a whole number from 0 to 2',
      more: {
        field: 'changes.mqtt.maxQos',
        value: 9,
        rule: 'a whole number from 0 to 2',
        others: [
          { field: 'changes.mqtt.maxQuos', detail: 'mqtt.maxQuos is not a known key; did you mean mqtt.maxQos?' },
        ],
      },
    })
    expect(world.overrides).toEqual([])
    expect(world.definitions.settings.all.size).toBe(0)
  })

  it('names what is no setting', async () => {
    for (const changes of [{ mqtt: 1 }, { nothing: null }, JSON.parse('{"__proto__":1}') as Record<string, unknown>]) {
      await expect(change(changes)).rejects.toMatchObject({
        code: 'INVALID',
        more: { field: expect.stringMatching(/^changes\./) as string },
      })
    }
  })

  it('keeps what is needed to find the store where it was given', async () => {
    for (const key of ['dataDir', 'store.engine', 'store.segmentBytes']) {
      await expect(change({ [key]: null })).rejects.toMatchObject({
        code: 'FROM_CONFIG',
        more: { field: `changes.${key}` },
      })
    }
  })

  it('stays as it is when the broker cannot take the change', async () => {
    world.overrideProblem = 'certificate not found'
    await expect(change({ 'mqtt.maxQos': 1 })).rejects.toMatchObject({
      code: 'INVALID',
      message: 'certificate not found; nothing has changed',
    })
    expect(world.definitions.settings.all.size).toBe(0)
  })

  it('is as before when the store does not take the change', async () => {
    await world.engine.close()
    await expect(change({ 'mqtt.maxQos': 1 })).rejects.toMatchObject({ code: 'STORE_FAILED' })
    expect(world.config.mqtt.maxQos).toBe(2)
    expect(world.overrides.at(-1)!.size).toBe(0)
  })
})

describe('a change of what holds for everybody', () => {
  const ONE = [{ user: 'ann', allow: ['read'], topics: ['a'] }]
  const refused = (turn: AccessTurn): object => ({
    code: 'TURNS_ACCESS',
    message: expect.stringContaining(`say so with everybody: ${turn}`) as string,
    more: { field: 'everybody', rule: `'${turn}'` },
  })

  it.each([
    ['the first rule', 'limited', {}, { 'auth.rules': ONE }],
    ['no rule any more', 'unlimited', { 'auth.rules': ONE }, { 'auth.rules': null }],
    ['a default that allows', 'unlimited', { 'auth.rules': ONE }, { 'auth.defaultAccess': 'allow' }],
  ] as const)('by %s has to be said, and changes nothing unsaid', async (_, turn, before, changes) => {
    if ('auth.rules' in before) await change(before, 'limited')
    const { config } = world
    await expect(change(changes)).rejects.toMatchObject(refused(turn))
    await expect(change(changes, turn === 'limited' ? 'unlimited' : 'limited')).rejects.toMatchObject(refused(turn))
    expect([world.config, world.definitions.settings.all.size]).toEqual([config, Object.keys(before).length])
    expect((await change(changes, turn)).applied).toEqual(Object.keys(changes))
  })

  it('is none where permissions limit it before and after, and the default counts with them', async () => {
    const body = { user: 'ann', allow: ['read' as const], topics: ['a'] }
    await change({ 'auth.defaultAccess': 'allow' })
    await world.call(putPermission, { params: { id: 'p' }, body })
    await expect(change({ 'auth.defaultAccess': null })).rejects.toMatchObject(refused('limited'))
    await change({ 'auth.defaultAccess': null }, 'limited')
    await change({ 'auth.rules': ONE })
    await change({ 'auth.rules': null })
  })
})
