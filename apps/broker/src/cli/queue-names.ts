/** Queues as people write them to commands: by their names, or as a protocol writes the address of one. */
import { getQueue, listQueues, PAGE_LIMIT_MAX } from '@ternmq/api'
import { type ApiClient, ApiProblem } from '@ternmq/api/client'
import { nearest } from '@ternmq/config/nearest'
import type { AnyCommand, AnyInput } from './command.ts'
import { VHOST } from './vhost.ts'

/** So many queues are looked through for the one that was meant; others are not offered. */
const COMPARED_MAX = PAGE_LIMIT_MAX

/** How the arguments and values of queues are called in the table of commands. */
const PLACEHOLDERS: ReadonlySet<string> = new Set(['QUEUE', 'TARGET'])

/** What was given with the name of a queue in place of its address: `queue://orders`, `/queue/orders`, `$queue/orders`. */
export async function withQueueNames(
  given: AnyInput,
  spec: Pick<AnyCommand, 'args' | 'options'>,
  client: ApiClient,
): Promise<AnyInput> {
  const places = spec.args.split(' ').map((place) => place.replace(/^\[|\]$/g, ''))
  const isQueue = (index: number): boolean => {
    const place = places[index] ?? places.findLast((each) => each.endsWith('…')) ?? ''
    return PLACEHOLDERS.has(place.replace('…', ''))
  }
  const args = await Promise.all(
    given.args.map(async (arg, index) => (isQueue(index) ? await nameOf(arg, client) : arg)),
  )
  const values = { ...given.values }
  for (const [option, { value }] of Object.entries(spec.options ?? {})) {
    const text = values[option]
    if (value === 'QUEUE' && typeof text === 'string') values[option] = await nameOf(text, client)
  }
  return { ...given, args, values }
}

/** A queue may be called as another's address is written: what is there by that name comes first. */
async function nameOf(text: string, client: ApiClient): Promise<string> {
  if (!text.includes('/')) return text
  const name = await queueOfAddress(text)
  if (name === undefined) return text
  return (await isThere(text, client)) ? text : name
}

async function isThere(queue: string, client: ApiClient): Promise<boolean> {
  try {
    await client.call(getQueue, { params: { ...VHOST, queue } })
    return true
  } catch (error) {
    if (error instanceof ApiProblem) return false
    throw error
  }
}

/** The queue of an address that says that it is one, or, with `isPlainToo`, of a plain name; undefined for a pattern and all else. */
export async function queueOfAddress(text: string, isPlainToo = false): Promise<string | undefined> {
  const { resolve } = await import('@ternmq/naming') // with all of the core behind it
  const read = resolve(text, { protocol: text.startsWith('$queue/') ? 'mqtt' : 'rest', purpose: 'receive' })
  if (!read.ok || (read.rule === 'protocol-default' && !isPlainToo) || read.options.length > 0) return undefined
  return read.address.kind === 'queue' ? read.address.name : undefined
}

/** A refusal for want of a queue with the one that was meant, where one is called nearly so. */
export async function withQueueMeant(problem: ApiProblem, client: ApiClient): Promise<ApiProblem> {
  const { value, field } = problem.problem
  if (typeof value !== 'string') return problem
  const name = (field === 'address' ? await queueOfAddress(value) : undefined) ?? value
  const meant = nearest(name, await namesOf(client))
  if (meant === undefined) return problem
  return new ApiProblem({ ...problem.problem, detail: `there is no queue '${name}'; did you mean ${meant}?` })
}

/** None for who may not list them. */
async function namesOf(client: ApiClient): Promise<readonly string[]> {
  try {
    const { items } = await client.call(listQueues, { params: VHOST, query: { limit: COMPARED_MAX } })
    return items.map(({ name }) => name)
  } catch (error) {
    if (error instanceof ApiProblem) return []
    throw error
  }
}
