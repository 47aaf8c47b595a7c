/** What a Dockerfile says, as far as tests ask: of its last stage, and the commands of all. */

export interface ImageSteps {
  /** Commands of RUN, in all stages, each in one line. */
  readonly run: readonly string[]
  /** Sources of COPY from the repository, but for the whole of it. */
  readonly copiedFiles: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly user: string
  readonly volume: string
  readonly ports: readonly string[]
  readonly healthCheck: readonly string[]
  readonly entryPoint: readonly string[]
  readonly command: readonly string[]
}

interface Step {
  readonly word: string
  readonly rest: string
}

/** Throws Error for a step that is missing, or in the form of a shell where a list is better. */
export function imageSteps(text: string): ImageSteps {
  const steps = text
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line): Step => {
      const [, word = '', rest = ''] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? []
      return { word, rest }
    })
  const last = steps.slice(steps.findLastIndex(({ word }) => word === 'FROM'))
  const only = (word: string): string => {
    const found = last.find((step) => step.word === word)
    if (found === undefined) throw new Error(`the last stage has no ${word}`)
    return found.rest
  }
  const list = (rest: string): string[] => JSON.parse(rest.slice(rest.indexOf('['))) as string[]
  const copies = steps.filter(({ word, rest }) => word === 'COPY' && !rest.startsWith('--from'))
  return {
    run: steps.filter(({ word }) => word === 'RUN').map(({ rest }) => rest),
    copiedFiles: copies.flatMap(({ rest }) => rest.split(/\s+/).slice(0, -1)).filter((path) => path !== '.'),
    env: Object.fromEntries([...only('ENV').matchAll(/(\w+)=(\S+)/g)].map(([, name, value]) => [name!, value!])),
    user: only('USER'),
    volume: only('VOLUME'),
    ports: only('EXPOSE').split(/\s+/),
    healthCheck: list(only('HEALTHCHECK')),
    entryPoint: list(only('ENTRYPOINT')),
    command: list(only('CMD')),
  }
}
