/** The configuration that a command is told by its options. */
import { type BrokerConfig, loadConfig, type LoadOptions } from '@ternmq/config'
import type { ConsoleIo } from '../process/console-io.ts'
import { BrokerError } from '../errors.ts'
import type { CommonOptions, Values } from './command.ts'

export interface ConfigurationInput {
  readonly values: Pick<Values<CommonOptions>, 'config' | 'data-dir' | 'set'>
  readonly io: Pick<ConsoleIo, 'env'>
}

export function loadOptionsOf({ values, io }: ConfigurationInput): LoadOptions {
  return {
    file: values.config,
    dataDir: values['data-dir'],
    sets: values.set === undefined ? undefined : [...values.set],
    env: io.env,
  }
}

/** Throws BrokerError 'CONFIG_INVALID' with a line for each mistake. */
export function configOf(input: ConfigurationInput): BrokerConfig {
  const loaded = loadConfig(loadOptionsOf(input))
  if (!loaded.ok) throw new BrokerError('CONFIG_INVALID', loaded.errors.join('\n'))
  return loaded.config
}
