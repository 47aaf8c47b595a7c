/** `ternmq completion`: what a shell needs to complete commands. */
import { command, type Noun } from '../cli/command.ts'
import { completionFor, SHELLS } from '../cli/completion.ts'
import { UsageError } from '../errors.ts'

const SUMMARY = 'what a shell needs to complete commands: bash, zsh, fish'

export const completion: Noun = {
  name: 'completion',
  summary: SUMMARY,
  commands: [
    command({
      verb: '',
      args: 'SHELL',
      summary: SUMMARY,
      detail: 'bash: source <(ternmq completion bash)   zsh: the same with zsh   fish: ternmq completion fish | source',
      asks: 'nothing',
      run: async ({ args: [name], io }) => {
        const shell = SHELLS.find((each) => each === name)
        if (shell === undefined)
          throw new UsageError(`'${name}' is no shell that is known here; there are ${SHELLS.join(', ')}`)
        const { NOUNS } = await import('./index.ts')
        io.stdout.write(completionFor(shell, await Promise.all(NOUNS.map((entry) => entry.load()))))
        return 0
      },
    }),
  ],
}
