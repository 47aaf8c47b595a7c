/** Tables in markdown. */
import type { LabFacts } from './facts.ts'

/** Cells are text; a `|` in one is escaped. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line), ''].join('\n')
}

/** Where and with what a result was made: without it a number says nothing. */
export function factsTable(facts: LabFacts, more: Readonly<Record<string, string>> = {}): string {
  const { machine, repository } = facts
  const commit = repository.isChanged ? `${repository.commit}, with uncommitted changes` : repository.commit
  return table(
    ['', ''],
    [
      ['date', facts.date],
      ['machine', `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.kernel}`],
      ['TernMQ', `${repository.version}, commit ${commit}`],
      ['Node', facts.node],
      ...Object.entries(more),
    ],
  )
}
