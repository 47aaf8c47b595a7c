/**
 * With the first permission what none allows is denied, and without the last one everybody may do everything: a change that turns what
 * holds for everybody is made only for who says so.
 */
import type { AccessTurn } from '@ternmq/api'
import { ApiError } from '../errors.ts'

type TurnTexts = Readonly<Record<AccessTurn, string>>

/** What comes of it, in words. */
export const TURN_TEXTS: TurnTexts = {
  limited:
    'with the first permission, what no permission allows is denied, to those who are connected too; until now everybody may do everything',
  unlimited:
    'without the last permission, everybody may do everything, those who are connected too; until now what no permission allows is denied',
}

/** As TURN_TEXTS, of a change of rules in the configuration, or of its default. */
export const CONFIG_TURN_TEXTS: TurnTexts = {
  limited:
    'with this change, what no rule allows is denied, to those who are connected too; until now everybody may do what none denies',
  unlimited:
    'with this change, everybody may do what no rule denies, those who are connected too; until now what none allows is denied',
}

/** What a change turns, by whether what no rule allows was denied before it and is after it; undefined: nothing. */
export function turnOf(wasLimited: boolean, isLimited: boolean): AccessTurn | undefined {
  if (wasLimited === isLimited) return undefined
  return isLimited ? 'limited' : 'unlimited'
}

/** Throws ApiError('TURNS_ACCESS') where `said` is not what the change turns. */
export function checkTurnSaid(
  turn: AccessTurn | undefined,
  said: AccessTurn | undefined,
  texts: TurnTexts = TURN_TEXTS,
): void {
  if (turn === undefined || turn === said) return
  const detail = `${texts[turn]}; if that is meant, say so with everybody: ${turn}`
  throw new ApiError('TURNS_ACCESS', detail, { field: 'everybody', value: said, rule: `'${turn}'` })
}
