/** What holds for one queue: the `queues` section, with every policy laid over it that matches the queue's name. */
import { matchesQueuePattern } from './queue-pattern.ts'
import type { BrokerConfig, QueuePolicy, QueuesConfig } from './types.ts'

/** Walks all policies: for the moment when a queue is made or the configuration changes. */
export function queueConfigFor(
  { queues, policies }: Pick<BrokerConfig, 'queues' | 'policies'>,
  name: string,
): QueuesConfig {
  let config = queues
  for (const { match, settings } of policies) {
    if (matchesQueuePattern(match, name)) config = overlay(config, settings)
  }
  return config
}

function overlay(config: QueuesConfig, settings: QueuePolicy['settings']): QueuesConfig {
  return {
    ...config,
    ...given(settings),
    redelivery: { ...config.redelivery, ...given(settings.redelivery) },
    duplicateWindow: { ...config.duplicateWindow, ...given(settings.duplicateWindow) },
    autoDelete: { ...config.autoDelete, ...given(settings.autoDelete) },
  }
}

/** Without the keys that are undefined: those are left out. */
function given<T extends object>(part: T | undefined): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(part ?? {}).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> }
}
