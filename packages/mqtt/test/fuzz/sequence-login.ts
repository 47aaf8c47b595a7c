/** A login that goes as the client says: its first byte of data decides the next step. */
import type { Login, LoginStep } from '@ternmq/core'

/** What clients name as their authentication method. */
export const METHOD = 'steps'
/** First bytes of authentication data. */
export const STEPS = { accept: 0, challenge: 1, refuse: 2, acceptAnother: 3 } as const

/** `isSlow`: every answer with a method comes later, as from a login that hashes. */
export function makeLogin(isSlow: boolean): Login {
  const answer = (data: Uint8Array | undefined): LoginStep | Promise<LoginStep> => {
    const step = stepOf(data?.[0] ?? STEPS.accept)
    return isSlow ? Promise.resolve(step) : step
  }
  const stepOf = (code: number): LoginStep => {
    switch (code) {
      case STEPS.challenge:
        return { kind: 'challenge', data: Uint8Array.of(1, 2, 3), exchange: { respond: answer } }
      case STEPS.refuse:
        return { kind: 'refused', refusal: 'bad-credentials', text: 'the client wanted it so' }
      default:
        return accepted(code === STEPS.acceptAnother ? 'another' : 'method')
    }
  }
  return {
    begin({ mechanism, username, data }) {
      if (mechanism === 'plain') return accepted(username ?? 'anonymous')
      if (mechanism === METHOD) return answer(data)
      return { kind: 'refused', refusal: 'bad-mechanism', text: `no method '${mechanism}'` }
    },
  }
}

function accepted(name: string): LoginStep {
  return { kind: 'accepted', principal: { name, anonymous: name === 'anonymous' }, data: undefined }
}
