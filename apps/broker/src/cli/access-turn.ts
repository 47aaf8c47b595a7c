/** Changes of permissions that turn what holds for everybody: asked about before they are made, as what destroys something is. */
import type { AccessTurn, TurnQuery } from '@ternmq/api'
import { ApiProblem } from '@ternmq/api/client'
import type { ConsoleIo } from '../process/console-io.ts'
import { confirm } from './confirm.ts'

/** What `confirm` asks. */
export const TURN_QUESTIONS: Readonly<Record<AccessTurn, string>> = {
  limited:
    'make the first permission: until now everybody may do everything, from now on what no permission allows is denied, to those who are connected too',
  unlimited:
    'take the last permission back: until now what no permission allows is denied, from now on everybody may do everything, those who are connected too',
}

/** Makes the call; where the broker says that it would turn everything as `turn` has it, once more when that has been confirmed. */
export async function sayingTurn<T>(
  turn: AccessTurn,
  input: { readonly io: ConsoleIo; readonly values: { readonly yes?: boolean | undefined } },
  call: (query: TurnQuery) => Promise<T>,
): Promise<T> {
  try {
    return await call({})
  } catch (error) {
    if (!(error instanceof ApiProblem) || error.problem.code !== 'TURNS_ACCESS') throw error
  }
  await confirm(TURN_QUESTIONS[turn], input)
  return call({ everybody: turn })
}
