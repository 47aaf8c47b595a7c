import { applyDefinitions, planDefinitions, type Definitions } from '@ternmq/api'
import { schemasOf } from '@ternmq/api/schemas'
import { ApiError } from '@ternmq/management'
import { expect, test } from 'vitest'
import { ITEM_ENTRIES_PER_TURN, LIST_ITEMS_PER_TURN } from './limits.ts'
import { piecewiseValidatorFor } from './validation-pieces.ts'
import { validatorFor } from './validation.ts'

const schemas = schemasOf(planDefinitions)
const whole = validatorFor(schemas)
const PARAMS = { vhost: '/' }

let pauseCount = 0
const inPieces = piecewiseValidatorFor(schemas, async () => void pauseCount++)

const queues = (count: number): Array<{ name: string; settings?: object }> =>
  Array.from({ length: count }, (_, index) => ({ name: `q${index}`, settings: { ttlMs: index } }))
const document = (more: object = {}): { definitions: Definitions; prune: boolean } => ({
  definitions: { version: 1, queues: queues(2 * LIST_ITEMS_PER_TURN + 1), users: [{ name: 'ann' }], ...more },
  prune: true,
})

/** What both refuse it with. */
async function refusals(body: unknown): Promise<(ApiError | undefined)[]> {
  const refusal = (error: unknown): ApiError => {
    if (error instanceof ApiError) return error
    throw error
  }
  const ofPieces = await Promise.resolve(inPieces(PARAMS, {}, body)).then(() => undefined, refusal)
  try {
    whole(PARAMS, {}, body)
  } catch (error) {
    return [ofPieces, refusal(error)]
  }
  return [ofPieces, undefined]
}

test('a body without very long lists is checked at once', () => {
  const body = { definitions: { version: 1, queues: queues(LIST_ITEMS_PER_TURN) } }
  expect(inPieces(PARAMS, {}, body)).toEqual(whole(PARAMS, {}, body))
})

test('a very long list is checked in pieces, with turns of others between, and comes to the same', async () => {
  pauseCount = 0
  const checked = await inPieces(PARAMS, {}, document())
  // After what read it, before each further piece, and before the handler.
  expect(pauseCount).toBe(4)
  expect(checked).toEqual(whole(PARAMS, {}, document()))
})

test.each([0, LIST_ITEMS_PER_TURN - 1, LIST_ITEMS_PER_TURN, 2 * LIST_ITEMS_PER_TURN])(
  'what is wrong in entry %d is told as it is of a short list',
  async (index) => {
    for (const bad of [{ name: 'x', settings: { ttlMs: -1 } }, { name: 'x', colour: 'red' }, 7, {}]) {
      const body = document()
      ;(body.definitions.queues as unknown[])[index] = bad
      const [one, other] = await refusals(body)
      expect(one?.more.field).toContain(`definitions.queues[${index}]`)
      expect([one?.code, one?.message, one?.more]).toEqual([other?.code, other?.message, other?.more])
    }
  },
)

test('a list whose few items are large is checked in pieces, too', async () => {
  const permissions = Array.from({ length: 20 }, (_, index) => ({
    id: `p${index}`,
    user: 'ann',
    allow: ['read'],
    topics: Array.from({ length: ITEM_ENTRIES_PER_TURN / 10 }, (_, topic) => `a/${topic}`),
  }))
  pauseCount = 0
  const body = document({ queues: [], permissions })
  expect(await inPieces(PARAMS, {}, body)).toEqual(whole(PARAMS, {}, body))
  // Ten in each of two pieces, and what is around them.
  expect(pauseCount).toBe(3)
})

test('so is what is wrong beside the list, and a list that is too long', async () => {
  for (const body of [document({ version: 2 }), document({ colours: [] }), document({ queues: queues(100_001) })]) {
    const [one, other] = await refusals(body)
    expect([one?.code, one?.message, one?.more]).toEqual([other?.code, other?.message, other?.more])
    expect(one?.code).toBe('INVALID')
  }
})

test('the plan of an apply is checked beside its lists', async () => {
  const apply = piecewiseValidatorFor(schemasOf(applyDefinitions), () => Promise.resolve())
  const { body } = await apply(PARAMS, {}, { ...document(), plan: 'p1' })
  expect(body).toMatchObject({ plan: 'p1', prune: true })
})
