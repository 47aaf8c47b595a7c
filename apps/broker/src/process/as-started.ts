/**
 * Advice that can be pasted. Sentences name commands as `ternmq users add NAME`; what is shown is the command that works for whoever
 * reads it: by npm in a clone, by its file otherwise, with the data directory and the configuration that are in use.
 */
import { basename } from 'node:path'
import { parseArgs } from 'node:util'

export interface Started {
  /** What stands for `ternmq`. */
  readonly command: string
  /** '--data-dir DIR --config FILE', each where it was given; ''. */
  readonly options: string
  /** '--set KEY=VALUE …' as they were given; ''. */
  readonly sets: string
}

/** `argv` is that of the process: program, script, arguments. */
export function startedAs(argv: readonly string[], env: Readonly<Record<string, string | undefined>>): Started {
  const [program = '', script = '', ...args] = argv
  return { command: commandOf(program, script, env), ...optionsIn(args, env) }
}

/** The sentence with each `ternmq …` in backquotes as `started` has it. */
export function asStarted(sentence: string, { command, options, sets }: Started): string {
  return sentence.replace(/`ternmq ([^`]+)`/g, (_, rest: string) => {
    if (rest.includes('--help')) return `\`${command === NPM ? NPM : 'ternmq'} ${rest}\``
    const [action, ...words] = rest.split(' ')
    // What the advice sets comes after what was set before: the last of a key counts.
    const own = action === 'start' ? [sets, ...words] : words
    return `\`${[command, action, ...own, options].filter((word) => word !== '').join(' ')}\``
  })
}

const NPM = 'npm run -s ternmq --'

/** npm tells a script its name; both of package.json are ours. */
function commandOf(program: string, script: string, env: Readonly<Record<string, string | undefined>>): string {
  const isOurs = env['npm_package_name'] === 'ternmq'
  if (isOurs && ['start', 'ternmq'].includes(env['npm_lifecycle_event'] ?? '')) return NPM
  return basename(script) === 'ternmq' ? 'ternmq' : `${quoted(program)} ${quoted(script)}`
}

/** Commands have more options than these, and may be wrong. */
function optionsIn(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Omit<Started, 'command'> {
  const known = {
    config: { type: 'string' },
    'data-dir': { type: 'string' },
    set: { type: 'string', multiple: true },
  } as const
  const { values } = parseArgs({ args: [...args], options: known, strict: false, allowPositionals: true })
  const sets = (values.set ?? []).filter((set) => typeof set === 'string')
  const bySet = sets.findLast((set) => set.startsWith(DATA_DIR_SET))?.slice(DATA_DIR_SET.length)
  const dataDir = values['data-dir'] ?? bySet ?? env['TERNMQ_DATA_DIR']
  const given: readonly (readonly [name: string, value: unknown])[] = [
    ['data-dir', dataDir],
    ['config', values.config],
  ]
  return {
    options: given
      .flatMap(([name, value]) => (typeof value === 'string' ? [`--${name} ${quoted(value)}`] : []))
      .join(' '),
    sets: sets
      .filter((set) => !set.startsWith(DATA_DIR_SET))
      .map((set) => `--set ${quoted(set)}`)
      .join(' '),
  }
}

const DATA_DIR_SET = 'dataDir='

/** As a shell takes it for one word. */
function quoted(word: string): string {
  return /^[\w./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
