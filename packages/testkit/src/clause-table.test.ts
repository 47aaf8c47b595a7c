import { describe, expect, test } from 'vitest'
import { isNumbered, readTable } from './clause-table.ts'

const HEAD = '# 1 Greetings\n§ 1.1 Hello\n'

describe('a requirement', () => {
  test('has the chapter and section above it, and goes on in indented lines', () => {
    const clauses = readTable(
      'DEMO5',
      `
# 3.1 CONNECT
§ 3.1.2.1 Protocol Name
DEMO5-3.1.2-1   both   must      The name is
  checked.
§ 3.1.4 Actions
DEMO5-3.1.4-a   client should    Waits.
  why: it is
  patient
`,
    )
    expect(clauses).toEqual([
      {
        id: 'DEMO5-3.1.2-1',
        chapter: '3.1 CONNECT',
        section: '3.1.2.1',
        sectionTitle: 'Protocol Name',
        summary: 'The name is checked.',
        actor: 'both',
        level: 'must',
      },
      {
        id: 'DEMO5-3.1.4-a',
        chapter: '3.1 CONNECT',
        section: '3.1.4',
        sectionTitle: 'Actions',
        summary: 'Waits.',
        actor: 'client',
        level: 'should',
        why: 'it is patient',
      },
    ])
    expect(clauses.map(isNumbered)).toEqual([true, false])
  })

  test('that is deviated from says what is done instead, in as many lines as it takes', () => {
    const [clause] = readTable('DEMO5', `${HEAD}DEMO5-1.1-1 server must Greets\n  all.\n  deviates: nods\n  to some`)
    expect(clause).toMatchObject({ summary: 'Greets all.', deviation: 'nods to some' })
  })

  test.each([
    ['DEMO4-1.1-1 both must Greets.', 'an id looks like DEMO5-3.1.2-1'],
    ['DEMO5-1.1 both must Greets.', 'an id looks like'],
    ['DEMO5-1.1-01 both must Greets.', 'an id looks like'],
    ['DEMO5-1.1-1 broker must Greets.', 'an actor is one of server, client, both'],
    ['DEMO5-1.1-1 both shall Greets.', 'a level is one of must, must-not, should'],
    ['DEMO5-1.1-1 both must Greets.\nDEMO5-1.1-1 both must Waves.', 'this id is there already'],
    ['DEMO5-1.1-1 client must Waits.', 'DEMO5-1.1-1 is for client'],
    ['DEMO5-1.1-1 server must Greets.\n  why: it is polite', 'DEMO5-1.1-1 is for server'],
    ['DEMO5-1.1-1 client must Waits.\n  why: so\n  deviates: no', 'DEMO5-1.1-1 is for clients'],
  ])('%j is refused', (line, why) => {
    expect(() => readTable('DEMO5', HEAD + line)).toThrow(why)
  })

  test('without a chapter, without a section or as nothing to go on with is refused by its line number', () => {
    expect(() => readTable('DEMO5', '\nDEMO5-1.1-1 both must Greets.')).toThrow('line 2: a requirement needs a chapter')
    expect(() => readTable('DEMO5', '# 1 A\nDEMO5-1.1-1 both must Greets.')).toThrow('line 2: a requirement needs')
    expect(() => readTable('DEMO5', `${HEAD}  and waves`)).toThrow('line 3: nothing to go on with')
    expect(() => readTable('DEMO5', '§ 1.1')).toThrow('line 1: a section needs a title')
  })
})
