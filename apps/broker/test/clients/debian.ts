/**
 * Programs of others that tests talk to, from Debian's packages. The only place where a test may be skipped for want of
 * something: on a machine where nothing may be installed, and never in CI.
 */
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'vitest'

import { Program } from './program.ts'

/** Debian's own: a Python from elsewhere does not see Debian's modules. */
export const PYTHON = '/usr/bin/python3'

type PackageName =
  | 'mosquitto-clients'
  | 'libmosquitto-dev'
  | 'netcat-openbsd'
  | 'curl'
  | 'python3-paho-mqtt'
  | 'python3-stomp'
  | 'python3-qpid-proton'
  | 'libqpid-proton11-dev'
  | 'gcc'
  | 'libc6-dev'
  | 'chromium'
  | 'nginx-light'
  | 'caddy'
  | 'systemd'

/** Succeeds when the package is there. */
const PROBES: Readonly<Record<PackageName, readonly [command: string, ...args: string[]]>> = {
  'mosquitto-clients': ['/bin/sh', '-c', 'command -v mosquitto_pub mosquitto_sub mosquitto_rr'],
  'netcat-openbsd': ['/bin/sh', '-c', 'command -v nc'],
  curl: ['/bin/sh', '-c', 'command -v curl'],
  'libmosquitto-dev': ['/bin/sh', '-c', 'test -e /usr/include/mosquitto.h'],
  'python3-paho-mqtt': [PYTHON, '-c', 'import paho.mqtt.client'],
  'python3-stomp': [PYTHON, '-c', 'import stomp'],
  'python3-qpid-proton': [PYTHON, '-c', 'import proton'],
  'libqpid-proton11-dev': ['/bin/sh', '-c', 'test -e /usr/include/proton/proactor.h'],
  gcc: ['/bin/sh', '-c', 'command -v gcc'],
  'libc6-dev': ['/bin/sh', '-c', 'test -e /usr/include/stdio.h'],
  chromium: ['/bin/sh', '-c', 'command -v chromium'],
  'nginx-light': ['/bin/sh', '-c', 'test -x /usr/sbin/nginx'],
  caddy: ['/bin/sh', '-c', 'test -x /usr/bin/caddy'],
  systemd: ['/bin/sh', '-c', 'command -v systemd-analyze'],
}

/** For the `timeout` of the hook that calls `needs`: a slow line, and another apt before us. */
export const INSTALL_MS_MAX = 600_000

const LOCK_FILE = join(tmpdir(), 'ternmq-apt.lock')
const known = new Map<PackageName, Promise<string | undefined>>()

/** For `beforeEach`: the package is there afterwards, or the test is skipped with the reason. Throws where it must be there. */
export async function needs(context: TestContext, name: PackageName): Promise<void> {
  const missing = known.get(name) ?? provide(name)
  known.set(name, missing)
  const reason = await missing
  if (reason !== undefined) context.skip(reason)
}

/** Undefined when the package is there, otherwise why it is not. */
async function provide(name: PackageName): Promise<string | undefined> {
  const mayInstall = process.getuid?.() === 0 && (await succeeds('/bin/sh', '-c', 'command -v apt-get flock'))
  // A program that another file of tests installs at this moment can be found before its libraries are there.
  if (mayInstall) await locked('--shared', 'true')
  if (await isThere(name)) return undefined
  if (mayInstall) {
    await install(name)
    return undefined
  }
  const reason = `${name} is missing: apt-get install ${name}`
  if (process.env['CI'] !== undefined) throw new Error(reason)
  process.stderr.write(`skipped tests: ${reason}\n`)
  return reason
}

/**
 * One apt at a time, whoever else runs tests on this machine, and after an apt of somebody else; package lists are fetched only when they
 * turn out to be missing or old.
 */
async function install(name: PackageName): Promise<void> {
  const apt = `apt-get -o DPkg::Lock::Timeout=${INSTALL_MS_MAX / 1_000} -o Acquire::Retries=3`
  const get = `${apt} install --yes --no-install-recommends ${name}`
  await locked('--exclusive', '/bin/sh', '-c', `${get} || { ${apt} update && ${get}; }`)
  if (!(await isThere(name))) throw new Error(`${name} is installed, but \`${PROBES[name].join(' ')}\` fails`)
}

async function locked(how: '--shared' | '--exclusive', ...command: readonly string[]): Promise<void> {
  await Program.run('flock', [how, '--timeout', String(INSTALL_MS_MAX / 1_000), LOCK_FILE, ...command], {
    // Servers that come with a package must not be started by its install.
    env: { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
    waitMs: INSTALL_MS_MAX,
  })
}

function isThere(name: PackageName): Promise<boolean> {
  return succeeds(...PROBES[name])
}

async function succeeds(command: string, ...args: readonly string[]): Promise<boolean> {
  try {
    await Program.run(command, args)
    return true
  } catch {
    return false // the answer is all that is asked for
  }
}
