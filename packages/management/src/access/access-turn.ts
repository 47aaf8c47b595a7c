/**
 * With the first permission what none allows is denied, and without the last one everybody may do everything: a change that turns what
 * holds for everybody is made only for who says so.
 */
import type { AccessTurn } from '@ternmq/api'
import { ApiError } from '../errors.ts'

/** What comes of it, in words. */
export const TURN_TEXTS: Readonly<Record<AccessTurn, string>> = {
  limited:
    'with the first permission, what no permission allows is denied, to those who are connected too; until now everybody may do everything',
  unlimited:
    'without the last permission, everybody may do everything, those who are connected too; until now what no permission allows is denied',
}

/** What a change of permissions turns, that leaves `countAfter` of `countBefore`; undefined: nothing. */
export function turnOf(countBefore: number, countAfter: number): AccessTurn | undefined {
  if (countBefore > 0 === countAfter > 0) return undefined
  return countAfter > 0 ? 'limited' : 'unlimited'
}

/** Throws ApiError('TURNS_ACCESS') where `said` is not what the change turns. */
export function checkTurnSaid(turn: AccessTurn | undefined, said: AccessTurn | undefined): void {
  if (turn === undefined || turn === said) return
  const detail = `${TURN_TEXTS[turn]}; if that is meant, say so with everybody: ${turn}`
  throw new ApiError('TURNS_ACCESS', detail, { field: 'everybody', value: said, rule: `'${turn}'` })
}
