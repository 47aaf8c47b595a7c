/** The requirement lists of the three MQTT versions. Tests claim a requirement by its id, in brackets, in their title. */
import { mqtt31 } from './mqtt31.ts'
import { mqtt311 } from './mqtt311.ts'
import { mqtt5Numbered } from './mqtt5.ts'
import { mqtt311Unnumbered, mqtt5Unnumbered } from './unnumbered.ts'
import type { Clause } from '@ternmq/testkit/clauses'

export type { Actor, Clause, Level } from '@ternmq/testkit/clauses'
export { isNumbered } from '@ternmq/testkit/clauses'

export interface Specification {
  /** File name of its coverage page, without ending. */
  readonly name: string
  readonly title: string
  /** Edition the list was taken from, and what is peculiar about its numbering. */
  readonly source: string
  readonly clauses: readonly Clause[]
}

export const specifications: readonly Specification[] = [
  {
    name: 'mqtt5',
    title: 'MQTT 5.0',
    source:
      'OASIS Standard, 7 March 2019. Appendix B lists 251 numbered requirements. The number 2.2.1-1 was never given; ' +
      'the body misprints 4.2.0-1 as 4.2-1 and the end of 3.2.2-8; Appendix B turns the condition of 3.3.1-10 around, ' +
      'and the body is followed.',
    clauses: [...mqtt5Numbered, ...mqtt5Unnumbered],
  },
  {
    name: 'mqtt311',
    title: 'MQTT 3.1.1',
    source:
      'OASIS Standard, 29 October 2014. Appendix B lists 141 numbered requirements, two of them misprinted (3.1.2-7 as ' +
      '3.1.2.7, 3.8.3-4 as 3-8.3-4); the body misprints 3.3.1-1 as 3.3.1.-1.',
    clauses: [...mqtt311, ...mqtt311Unnumbered],
  },
  {
    name: 'mqtt31',
    title: 'MQTT 3.1',
    source:
      'Protocol Specification by IBM and Eurotech, 2010. It numbers sections only: the list and its ids are ours. ' +
      '"=" marks a rule that 3.1.1 has too, "≠" one that 3.1.1 changed or dropped.',
    clauses: mqtt31,
  },
]
