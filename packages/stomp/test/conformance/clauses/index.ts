/** The requirement lists of the three STOMP versions. Tests claim a requirement by its id, in brackets, in their title. */
import type { Clause } from '@ternmq/testkit/clauses'

import { stomp10 } from './stomp10.ts'
import { stomp11 } from './stomp11.ts'
import { stomp12 } from './stomp12.ts'

export interface Specification {
  /** File name of its coverage page, without ending. */
  readonly name: string
  readonly title: string
  /** Edition the list was taken from, and how its ids are made. */
  readonly source: string
  readonly clauses: readonly Clause[]
}

const IDS = 'It numbers nothing: an id is the anchor of the section and a letter, and is ours.'

export const specifications: readonly Specification[] = [
  {
    name: 'stomp12',
    title: 'STOMP 1.2',
    source: `STOMP Protocol Specification, Version 1.2. ${IDS}`,
    clauses: stomp12,
  },
  {
    name: 'stomp11',
    title: 'STOMP 1.1',
    source: `STOMP Protocol Specification, Version 1.1. ${IDS} "=" marks a rule that 1.2 has too, "≠" one that 1.2 changed or dropped.`,
    clauses: stomp11,
  },
  {
    name: 'stomp10',
    title: 'STOMP 1.0',
    source: `Stomp Protocol Specification, Version 1.0. ${IDS} "=" marks a rule that 1.2 has too, "≠" one that later versions changed or dropped.`,
    clauses: stomp10,
  },
]
