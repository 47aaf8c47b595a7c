/** `ternmq version`. */
import { command, type Noun } from '../cli/command.ts'
import { printLines } from '../cli/output.ts'
import { VERSION } from '../version.ts'

const SUMMARY = 'the version of this program'

export const version: Noun = {
  name: 'version',
  summary: SUMMARY,
  commands: [
    command({
      verb: '',
      args: '',
      summary: SUMMARY,
      asks: 'nothing',
      run: ({ io }) => {
        printLines(io, [VERSION])
        return 0
      },
    }),
  ],
}
