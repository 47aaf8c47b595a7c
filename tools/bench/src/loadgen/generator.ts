/** A load generator somebody gives us: copied and built, its peers started and stopped, its comparison run. */
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

import { type LogLine, parseLog } from './results.ts'

const NEEDED = ['Makefile', 'compare.py', 'peers.sh']
const BUILD_MS_MAX = 120_000
const PEER_MS_MAX = 120_000
const PEER_SETTLE_MS = 1_000
const COMPARE_MS_MAX = 2 * 60 * 60_000

export interface Peer {
  readonly name: string
  readonly version: string
}

interface StartedPeer extends Peer {
  readonly pid: number
}

export class LoadGenerator implements Disposable {
  /** A copy: the folder given may be read-only. */
  readonly #folder: string
  /** Peers that we started: only those are stopped. */
  readonly #started: string[] = []

  /** Throws when the folder is none, or does not build. */
  constructor(source: string) {
    for (const file of NEEDED) {
      if (!existsSync(join(source, file)))
        throw new Error(`${join(source, file)} is not there: --loadgen must name a load generator`)
    }
    this.#folder = mkdtempSync(join(tmpdir(), 'ternmq-loadgen-'))
    cpSync(source, this.#folder, { recursive: true, filter: (path) => !path.includes('node_modules') })
    rmSync(join(this.#folder, 'loadgen'), { force: true })
    // Copies of read-only folders are read-only.
    this.#run('chmod', ['-R', 'u+rwX', '.'], BUILD_MS_MAX)
    this.#run('make', [], BUILD_MS_MAX)
  }

  /** Peers keep their data with the copy, unless the caller has a place for them where they may run already. */
  get #env(): NodeJS.ProcessEnv {
    return { PEERS_DIR: join(this.#folder, 'peers'), ...process.env }
  }

  /** Of its sources: which generator it was can be said without saying where. */
  get fingerprint(): string {
    const hash = createHash('sha256')
    for (const file of readdirSync(this.#folder).toSorted()) {
      if (/\.(?:[ch]|py|sh)$|^Makefile$/.test(file)) hash.update(readFileSync(join(this.#folder, file)))
    }
    return `sha256 ${hash.digest('hex').slice(0, 12)}`
  }

  /** Starts those of the peers that do not run. Throws when one does not stay. */
  async startPeers(names: readonly string[]): Promise<Peer[]> {
    const peers = names.map((name) => {
      const running = spawnSync('./peers.sh', ['status', name], { cwd: this.#folder, env: this.#env, encoding: 'utf8' })
      if (running.status !== 0) this.#started.push(name)
      const said = running.status === 0 ? running.stdout : this.#run('./peers.sh', ['start', name], PEER_MS_MAX)
      return JSON.parse(said.trim().split('\n').at(-1)!) as StartedPeer
    })
    // One whose port is taken ends only now, and whoever has the port would be measured in its place.
    await wait(PEER_SETTLE_MS)
    for (const { name, pid } of peers) {
      if (!isAlive(pid)) throw new Error(`${name} (pid ${pid}) has ended again: does another process have its port?`)
    }
    return peers.map(({ name, version }) => ({ name, version }))
  }

  /** One case, so many rounds, targets taking turns in each. `target` as compare.py has it. */
  async compare(
    id: string,
    rounds: number,
    peers: readonly Peer[],
    target: string,
    signal: AbortSignal,
  ): Promise<LogLine[]> {
    const log = join(this.#folder, `log-${id}.jsonl`)
    const own = ['--cases', id, '--rounds', String(rounds), '--log', log, '--target', target]
    const args = [...own, ...peers.flatMap(({ name }) => ['--peer', name])]
    // Not spawnSync: meanwhile it may ask us for a fresh broker. Its own table is left out, its progress is shown.
    const options = { cwd: this.#folder, env: this.#env, timeout: COMPARE_MS_MAX, signal } as const
    const child = spawn('./compare.py', args, { ...options, stdio: ['ignore', 'ignore', 'inherit'] })
    const [code, killedBy] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
    if (code !== 0) throw new Error(`compare.py --cases ${id} ended with ${killedBy ?? `exit code ${code}`}`)
    return parseLog(readFileSync(log, 'utf8')).filter((line) => line.case === id)
  }

  [Symbol.dispose](): void {
    for (const name of this.#started) spawnSync('./peers.sh', ['clean', name], { cwd: this.#folder, env: this.#env })
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #run(command: string, args: readonly string[], msMax: number): string {
    const options = {
      cwd: this.#folder,
      env: this.#env,
      encoding: 'utf8',
      timeout: msMax,
      maxBuffer: 64 * 1024 * 1024,
    } as const
    const done = spawnSync(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
    if (done.error !== undefined) throw done.error
    if (done.status === 0) return done.stdout
    throw new Error(
      `${command} ${args[0] ?? ''} failed with ${done.signal ?? `exit code ${done.status}`}:\n${done.stderr}`,
    )
  }
}

/** False for a zombie, too: it has ended, only nobody has asked how. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  const stat = `/proc/${pid}/stat`
  return !existsSync(stat) || !/\) Z /.test(readFileSync(stat, 'utf8'))
}
