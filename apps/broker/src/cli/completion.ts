/** Completion for shells, generated from the table of commands: nouns, verbs, options and their values; no broker is asked. */
import { type Noun, type Option, optionsOf } from './command.ts'

export const SHELLS = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof SHELLS)[number]

export function completionFor(shell: Shell, nouns: readonly Noun[]): string {
  switch (shell) {
    case 'bash':
      return bash(nouns)
    case 'zsh':
      return `#compdef ternmq\nautoload -U +X bashcompinit && bashcompinit\n${bash(nouns)}`
    case 'fish':
      return fish(nouns)
  }
}

interface Words {
  /** What comes before: 'destinations list', 'status', ''. */
  readonly before: string
  readonly words: readonly string[]
}

/** What can come behind what: verbs behind nouns, options behind both. */
function wordsOf(nouns: readonly Noun[]): Words[] {
  const all: Words[] = [{ before: '', words: [...nouns.map(({ name }) => name), 'help'] }]
  for (const { name, commands } of nouns) {
    const verbs = commands.map(({ verb }) => verb).filter((verb) => verb !== '')
    if (verbs.length > 0) all.push({ before: name, words: [...verbs, '--help'] })
    for (const command of commands) {
      const options = Object.keys(optionsOf(command)).map((option) => `--${option}`)
      all.push({ before: command.verb === '' ? name : `${name} ${command.verb}`, words: options })
    }
  }
  return all
}

/** Values of options that have only some, the same whichever command has them. */
function choicesOf(
  nouns: readonly Noun[],
): Array<readonly [before: string, option: string, choices: readonly string[]]> {
  return nouns.flatMap(({ name, commands }) =>
    commands.flatMap((command) =>
      Object.entries(optionsOf(command)).flatMap(([option, { choices }]) =>
        choices === undefined
          ? []
          : [[command.verb === '' ? name : `${name} ${command.verb}`, option, choices] as const],
      ),
    ),
  )
}

function bash(nouns: readonly Noun[]): string {
  const choices = choicesOf(nouns).map(
    ([before, option, values]) => `    '${before} --${option}') words='${values.join(' ')}' ;;`,
  )
  const words = wordsOf(nouns).map(({ before, words: each }) => `    '${before}') words='${each.join(' ')}' ;;`)
  return `# Completion of ternmq for bash. Load it with: source <(ternmq completion bash)
_ternmq() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" words='' before='' index
  for ((index = 1; index < COMP_CWORD && index <= 2; index++)); do
    [[ "\${COMP_WORDS[index]}" == -* ]] && break
    before="\${before:+$before }\${COMP_WORDS[index]}"
  done
  case "$before $previous" in
${choices.join('\n')}
  esac
  if [[ -z "$words" && "$previous" =~ ^--(config|data-dir|ca|file|ready-json)$ ]]; then
    COMPREPLY=($(compgen -f -- "$current"))
    return
  fi
  [[ -n "$words" ]] || case "$before" in
${words.join('\n')}
    *) case "\${before%% *}" in
${wordsOf(nouns)
  .filter(({ before }) => before !== '' && !before.includes(' '))
  .map(
    ({ before, words: each }) =>
      `      '${before}') words='${each.filter((word) => word.startsWith('--')).join(' ')}' ;;`,
  )
  .join('\n')}
      esac ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _ternmq -o default ternmq
`
}

function fish(nouns: readonly Noun[]): string {
  const lines = nouns.flatMap(({ name, summary, commands }) => [
    `complete -c ternmq -n __fish_use_subcommand -f -a ${name} -d ${quoted(summary)}`,
    ...commands.flatMap((command) => {
      const { verb } = command
      const isVerb = `__fish_seen_subcommand_from ${name}; and not __fish_seen_subcommand_from ${commands.map((each) => each.verb).join(' ')}`
      const isHere =
        verb === ''
          ? `__fish_seen_subcommand_from ${name}`
          : `__fish_seen_subcommand_from ${name}; and __fish_seen_subcommand_from ${verb}`
      return [
        ...(verb === '' ? [] : [`complete -c ternmq -n ${quoted(isVerb)} -f -a ${verb} -d ${quoted(command.summary)}`]),
        ...Object.entries(optionsOf(command)).map(([option, spec]) => fishOption(isHere, option, spec)),
      ]
    }),
  ])
  return `# Completion of ternmq for fish. Load it with: ternmq completion fish | source\n${lines.join('\n')}\n`
}

function fishOption(isHere: string, name: string, { type, short, summary, choices }: Option): string {
  const value = type === 'boolean' ? '' : choices === undefined ? ' -r' : ` -x -a ${quoted(choices.join(' '))}`
  return `complete -c ternmq -n ${quoted(isHere)} -l ${name}${short === undefined ? '' : ` -s ${short}`}${value} -d ${quoted(summary)}`
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
