/** node restart-broker.ts SOCKET: asks the benchmark for a fresh broker and prints what it answers: {"pid": …}. */
import { connect } from 'node:net'

connect(process.argv[2]!).on('error', fail).pipe(process.stdout)

function fail(error: Error): void {
  process.stderr.write(`no fresh broker: ${error.message}\n`)
  process.exitCode = 1
}
