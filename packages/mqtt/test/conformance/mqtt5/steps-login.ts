/** A login in several steps whose script a test can read: 'question' is asked until the answer is 'right'. */
import type { Login, LoginExchange, LoginRequest, LoginStep } from '@ternmq/core'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** How the broker keeps apart what it heard. */
export interface StepsLogin extends Login {
  /** Every question that the broker was asked to begin with. */
  readonly requests: readonly LoginRequest[]
  /** Whom an accepted exchange says the client is; may be changed between logins. */
  user: string
}

/**
 * Takes the method 'steps', and clients without a method. The client's data is a word: 'right' ends the exchange well,
 * with the data 'welcome'; 'wrong' ends it badly; everything else is answered by 'question'. `later` answers every step
 * in a promise.
 */
export function stepsLogin({ later = false }: { readonly later?: boolean } = {}): StepsLogin {
  const requests: LoginRequest[] = []

  const answer = (data: Uint8Array | undefined): LoginStep => {
    const word = decoder.decode(data)
    if (word === 'right') return accepted('welcome')
    if (word === 'wrong') return { kind: 'refused', refusal: 'bad-credentials', text: 'wrong answer' }
    return { kind: 'challenge', data: encoder.encode('question'), exchange }
  }
  const exchange: LoginExchange = { respond: (data) => (later ? Promise.resolve(answer(data)) : answer(data)) }

  const accepted = (data?: string): LoginStep => ({
    kind: 'accepted',
    principal: { name: login.user, anonymous: false },
    data: data === undefined ? undefined : encoder.encode(data),
  })

  const login = {
    requests,
    user: 'somebody',
    begin(request: LoginRequest): LoginStep | Promise<LoginStep> {
      requests.push(request)
      if (request.mechanism === 'plain') return accepted()
      if (request.mechanism !== 'steps') return { kind: 'refused', refusal: 'bad-mechanism', text: 'unknown method' }
      return exchange.respond(request.data ?? new Uint8Array(0))
    },
  }
  return login
}
