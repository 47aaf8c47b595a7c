/** Who used the machine's CPU while something ran: the broker, we who make its load, everybody else. Linux only. */
import { readFileSync } from 'node:fs'

import { cpuNsOf } from '../subscriptions/process-cpu.ts'

/** Of the lines of /proc/stat. */
const TICKS_PER_SECOND = 100

/** In cores: 1 is one core all the time. */
export interface CpuShares {
  readonly seconds: number
  readonly brokerCores: number
  readonly generatorCores: number
  readonly otherCores: number
}

/** Starts the clock; what is returned reads it. */
export function cpuShares(brokerPid: number): () => CpuShares {
  const start = read(brokerPid)
  return () => {
    const end = read(brokerPid)
    const seconds = end.atSeconds - start.atSeconds
    const cores = (name: 'broker' | 'generator' | 'all'): number => (end[name] - start[name]) / seconds
    const [brokerCores, generatorCores, all] = [cores('broker'), cores('generator'), cores('all')]
    return { seconds, brokerCores, generatorCores, otherCores: Math.max(0, all - brokerCores - generatorCores) }
  }
}

interface Reading {
  readonly atSeconds: number
  /** CPU seconds so far. */
  readonly broker: number
  readonly generator: number
  readonly all: number
}

function read(brokerPid: number): Reading {
  const { user, system } = process.cpuUsage()
  const [, fields] = /^cpu\s+(.*)$/m.exec(readFileSync('/proc/stat', 'utf8'))!
  const [userTicks, niceTicks, systemTicks, , , irqTicks, softirqTicks] = fields!.split(' ').map(Number)
  return {
    atSeconds: performance.now() / 1_000,
    broker: cpuNsOf(brokerPid) / 1e9,
    generator: (user + system) / 1e6,
    all: (userTicks! + niceTicks! + systemTicks! + irqTicks! + softirqTicks!) / TICKS_PER_SECOND,
  }
}
