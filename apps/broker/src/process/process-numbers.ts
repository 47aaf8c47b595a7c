/** What the process and its disk cost at the moment; measured while somebody asks, and not otherwise. */
import type { NodeInfo, Overview } from '@ternmq/api'
import type { BrokerConfig } from '@ternmq/config'
import type { Cancel, Clock, VirtualHost } from '@ternmq/core'
import { type Durability, durabilityGiven } from '@ternmq/store'
import type { JournalEngine } from '@ternmq/store/journal'
import type { MetricsSnapshot } from '@ternmq/metrics'
import { readdirSync, statfsSync } from 'node:fs'
import { hostname } from 'node:os'
import { type EventLoopUtilization, monitorEventLoopDelay, performance } from 'node:perf_hooks'

import { VERSION } from '../version.ts'

/** Delays are looked at so often, and what is told is of the time since the last answer. */
const DELAY_RESOLUTION_MS = 20
/** Nobody has asked for so long: nothing is measured any more. */
const UNASKED_MS = 60_000
/** Whoever asks again within this gets the same answer: two who watch must not shorten each other's time. */
const SAMPLE_MS_MIN = 500

/** `dataDir`: '' without one. */
export function nodeInfo(dataDir: string, startedAtMs: number): NodeInfo {
  const { pid, platform, versions } = process
  return { version: VERSION, node: versions.node, platform, pid, hostName: hostname(), dataDir, startedAtMs }
}

type DelayMonitor = ReturnType<typeof monitorEventLoopDelay>

export type Resources = Pick<Overview, 'memory' | 'disk' | 'eventLoop'> & {
  /** Since the answer before; undefined of the first. */
  readonly cpuShare: number | undefined
}

export interface ProcessNumbersOptions {
  readonly clock: Clock
  readonly vhost: VirtualHost
  readonly config: () => BrokerConfig
  readonly durabilities: readonly Durability[]
  readonly journal: JournalEngine | undefined
  /** Undefined for a broker without files. */
  readonly folder: string | undefined
}

interface Sample {
  readonly atMs: number
  readonly cpuMicros: number
  readonly utilization: EventLoopUtilization
  readonly cpuShare: number | undefined
  readonly eventLoop: Overview['eventLoop'] & { readonly maxMs: number }
}

export class ProcessNumbers {
  readonly #options: ProcessNumbersOptions
  #delays: DelayMonitor | undefined = undefined
  #last: Sample | undefined = undefined
  #cancelEnd: Cancel = () => {}

  constructor(options: ProcessNumbersOptions) {
    this.#options = options
  }

  read(): Resources {
    const { vhost, config, durabilities, journal, folder } = this.#options
    const { rss, heapUsed } = process.memoryUsage()
    const { eventLoop, cpuShare } = this.#sample()
    const { p50Ms, p99Ms, utilization } = eventLoop
    const { store, queues } = config()
    const stats = journal?.stats()
    return {
      memory: {
        rssBytes: rss,
        heapBytes: heapUsed,
        waitingBytes: vhost.waiting.bytes,
        waitingBytesMax: vhost.waiting.bytesMax,
      },
      disk: {
        engine: store.engine,
        durability: durabilityGiven(durabilities, queues.durability),
        usedBytes: stats?.diskBytes ?? 0,
        maxBytes: store.maxBytes,
        freeBytes: stats === undefined || folder === undefined ? undefined : freeBytesOf(folder),
      },
      eventLoop: { p50Ms, p99Ms, utilization },
      cpuShare,
    }
  }

  readForMetrics(): Pick<MetricsSnapshot, 'process' | 'eventLoop'> {
    const { rss, heapUsed } = process.memoryUsage()
    const { user, system } = process.cpuUsage()
    return {
      process: {
        cpuSeconds: (user + system) / 1e6,
        residentBytes: rss,
        heapUsedBytes: heapUsed,
        openFiles: openFileCount(),
      },
      eventLoop: this.#sample().eventLoop,
    }
  }

  close(): void {
    this.#cancelEnd()
    this.#delays?.disable()
    this.#delays = undefined
    this.#last = undefined
  }

  #sample(): Sample {
    const { clock } = this.#options
    const atMs = clock.monoMs()
    const before = this.#last
    if (before !== undefined && atMs - before.atMs < SAMPLE_MS_MIN) return before
    const { user, system } = process.cpuUsage()
    const cpuMicros = user + system
    const utilization = performance.eventLoopUtilization()
    const delays = this.#measureDelays()
    const cpuShare = before === undefined ? undefined : (cpuMicros - before.cpuMicros) / ((atMs - before.atMs) * 1_000)
    const eventLoop = {
      p50Ms: lateMs(delays, 50),
      p99Ms: lateMs(delays, 99),
      maxMs: lateMs(delays, 100),
      utilization: utilizationSince(utilization, before?.utilization),
    }
    delays.reset()
    this.#last = { atMs, cpuMicros, utilization, cpuShare, eventLoop }
    this.#cancelEnd()
    this.#cancelEnd = clock.after(UNASKED_MS, () => this.close())
    return this.#last
  }

  #measureDelays(): DelayMonitor {
    if (this.#delays === undefined) {
      this.#delays = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS })
      this.#delays.enable()
    }
    return this.#delays
  }
}

/** Of the whole life where there was none before. */
function utilizationSince(now: EventLoopUtilization, before: EventLoopUtilization | undefined): number {
  // With one of them alone it would be that of the time since `now`, which is all work.
  return before === undefined ? now.utilization : performance.eventLoopUtilization(now, before).utilization
}

/** How much later than asked for; 0 while nothing has been measured. */
function lateMs(delays: DelayMonitor, percentile: number): number {
  if (delays.count === 0) return 0
  return Math.max(0, delays.percentile(percentile) / 1e6 - DELAY_RESOLUTION_MS)
}

/** Undefined where the system does not say. */
function freeBytesOf(folder: string): number | undefined {
  try {
    const { bavail, bsize } = statfsSync(folder)
    return bavail * bsize
  } catch {
    return undefined // it went, or is of a kind that has no size: the store itself tells of faults
  }
}

/** Undefined where the system does not say. */
function openFileCount(): number | undefined {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    return undefined // not Linux
  }
}
