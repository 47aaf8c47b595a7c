/**
 * Reads the requirement tables of the conformance tests. A line starts a chapter ("# 3.1 CONNECT"), a section
 * ("§ 3.1.2.3 Connect Flags") or a requirement ("id actor level summary"); an indented line goes on with the one above,
 * or says with "why:" why a requirement is not for servers, with "deviates:" what this broker does instead and why.
 * Tables are text because 500 requirements read best as lines.
 */

/**
 * Whom a requirement binds. 'both' is also a requirement on clients that a server has to enforce; 'client' leaves a
 * server nothing to do and nothing to observe.
 */
export type Actor = 'server' | 'client' | 'both'

export type Level = 'must' | 'must-not' | 'should'

export interface Clause {
  /** 'MQTT5-3.8.4-6', 'STOMP12-SEND-a'. Ends in a letter where the specification has no number and the id is ours. */
  readonly id: string
  /** '3.8 SUBSCRIBE' */
  readonly chapter: string
  /** '3.8.4', 'SEND': the section that states it, which the id need not name. */
  readonly section: string
  readonly sectionTitle: string
  /** What it asks, in our words. */
  readonly summary: string
  readonly actor: Actor
  readonly level: Level
  /** With actor 'client' only: why there is nothing for a server to do. */
  readonly why?: string
  /** We do something else on purpose: what, why, and the setting that changes it. [ADR-0004] */
  readonly deviation?: string
}

type Draft = { -readonly [Key in keyof Clause]: Clause[Key] }

const ACTORS: readonly string[] = ['server', 'client', 'both'] satisfies Actor[]
const LEVELS: readonly string[] = ['must', 'must-not', 'should'] satisfies Level[]

/** `prefix` is the start of every id ('MQTT5'). Throws with the line number on a line that is none of the above. */
export function readTable(prefix: string, text: string): readonly Clause[] {
  const clauses: Draft[] = []
  const seen = new Set<string>()
  let chapter = ''
  let section = ''
  let sectionTitle = ''
  for (const [index, line] of text.split('\n').entries()) {
    const refuse = (why: string): never => {
      throw new Error(`table ${prefix}, line ${index + 1}: ${why}: ${line}`)
    }
    if (line.trim() === '') continue
    if (line.startsWith('# ')) {
      chapter = line.slice(2)
      section = ''
    } else if (line.startsWith('§ ')) {
      const titleStart = line.indexOf(' ', 2)
      section = titleStart === -1 ? refuse('a section needs a title') : line.slice(2, titleStart)
      sectionTitle = line.slice(titleStart + 1)
    } else if (line.startsWith('  ')) {
      goOn(clauses.at(-1) ?? refuse('nothing to go on with'), line.trim())
    } else {
      const [, id = '', actor = '', level = '', summary = ''] = /^(\S+) +(\S+) +(\S+) +(.+)$/.exec(line) ?? []
      if (!idPattern(prefix).test(id))
        refuse(`an id looks like ${prefix}-3.1.2-1, ${prefix}-3.1.2-a or ${prefix}-Section-a`)
      if (seen.has(id)) refuse('this id is there already')
      if (!isActor(actor)) return refuse(`an actor is one of ${ACTORS.join(', ')}`)
      if (!isLevel(level)) return refuse(`a level is one of ${LEVELS.join(', ')}`)
      if (chapter === '' || section === '') refuse('a requirement needs a chapter and a section above it')
      seen.add(id)
      clauses.push({ id, chapter, section, sectionTitle, summary, actor, level })
    }
  }
  for (const { id, actor, why, deviation } of clauses) {
    if (actor === 'client' && deviation !== undefined) {
      throw new Error(`table ${prefix}: ${id} is for clients: there is nothing to deviate from`)
    }
    if ((actor === 'client') === (why === undefined)) {
      throw new Error(`table ${prefix}: ${id} is for ${actor}; a "why:" goes with 'client' and with nothing else`)
    }
  }
  return clauses
}

/** Whether the number is the specification's own. */
export function isNumbered(clause: Clause): boolean {
  return /-\d+$/.test(clause.id)
}

function goOn(clause: Draft, text: string): void {
  if (text.startsWith('why: ')) clause.why = text.slice('why: '.length)
  else if (text.startsWith('deviates: ')) clause.deviation = text.slice('deviates: '.length)
  else if (clause.deviation !== undefined) clause.deviation += ` ${text}`
  else if (clause.why !== undefined) clause.why += ` ${text}`
  else clause.summary += ` ${text}`
}

function idPattern(prefix: string): RegExp {
  return new RegExp(`^${prefix}-(?:\\d+(?:\\.\\d+)*|[A-Z][\\w-]*)-(?:[1-9]\\d*|[a-z])$`)
}

function isActor(word: string): word is Actor {
  return ACTORS.includes(word)
}

function isLevel(word: string): word is Level {
  return LEVELS.includes(word)
}
