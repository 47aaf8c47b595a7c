/** Changes of permissions that turn what holds for everybody: asked about before they are made, as what destroys something is. */
import type { AccessTurn, TurnQuery } from '@ternmq/api'
import { ApiProblem } from '@ternmq/api/client'
import type { ConsoleIo } from '../process/console-io.ts'
import { confirm } from './confirm.ts'

const TURNS: readonly AccessTurn[] = ['limited', 'unlimited']

/** What `confirm` asks. */
export const TURN_QUESTIONS: Readonly<Record<AccessTurn, string>> = {
  limited:
    'make the first permission: until now everybody may do everything, from now on what no permission allows is denied, to those who are connected too',
  unlimited:
    'take the last permission back: until now what no permission allows is denied, from now on everybody may do everything, those who are connected too',
}

/** As TURN_QUESTIONS, of rules in the configuration, or of its default. */
export const CONFIG_TURN_QUESTIONS: Readonly<Record<AccessTurn, string>> = {
  limited: 'deny what no rule allows, to those who are connected too: until now everybody may do what none denies',
  unlimited: 'let everybody do what no rule denies, those who are connected too: until now what none allows is denied',
}

/** Makes the call; where the broker says that it would turn what holds for everybody, once more when that has been confirmed. */
export async function sayingTurn<T>(
  questions: Readonly<Record<AccessTurn, string>>,
  input: { readonly io: ConsoleIo; readonly values: { readonly yes?: boolean | undefined } },
  call: (query: TurnQuery) => Promise<T>,
): Promise<T> {
  let turn: AccessTurn | undefined = undefined
  try {
    return await call({})
  } catch (error) {
    turn = TURNS.find((each) => error instanceof ApiProblem && isRefusedFor(error, each))
    if (turn === undefined) throw error
  }
  await confirm(questions[turn], input)
  return call({ everybody: turn })
}

function isRefusedFor({ problem: { code, rule } }: ApiProblem, turn: AccessTurn): boolean {
  return code === 'TURNS_ACCESS' && rule === `'${turn}'`
}
