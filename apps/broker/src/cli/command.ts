/**
 * What a command is, as data: its words, arguments and options, from which the parser, the help, the completion and docs/reference/cli.md
 * are made, and the function that does it.
 */
import { ApiProblem } from '@ternmq/api/client'
import type { ConsoleIo } from '../process/console-io.ts'
import type { Connection } from './connection.ts'

export interface Option {
  readonly type: 'boolean' | 'string'
  readonly short?: string
  /** May be given several times. */
  readonly multiple?: true
  /** What stands for its value in the help. */
  readonly value?: string
  readonly summary: string
  /** A value may begin with `-` though it is an argument of its own: `--sort -readyCount`. */
  readonly dashed?: true
  /** The only values. */
  readonly choices?: readonly string[]
}

export type Options = Readonly<Record<string, Option>>

type ValueOf<O extends Option> = O extends { readonly type: 'boolean' }
  ? boolean
  : O extends { readonly multiple: true }
    ? readonly string[]
    : O extends { readonly choices: readonly (infer C)[] }
      ? C
      : string

/** What was given; an option that was not is undefined. */
export type Values<T> = { readonly [K in keyof T]?: (T[K] extends Option ? ValueOf<T[K]> : never) | undefined }

type NoOptions = Readonly<Record<never, never>>

/** Arguments by how they are written: 'QUEUE', '[QUEUE]', 'QUEUE…' for one or more, '[QUEUE…]' for any number. */
type ArgsOf<S extends string> = S extends `${infer First} ${infer Rest}`
  ? readonly [...ArgOf<First>, ...ArgsOf<Rest>]
  : ArgOf<S>
type ArgOf<S extends string> = S extends ''
  ? readonly []
  : S extends `[${string}…]`
    ? readonly string[]
    : S extends `[${string}]`
      ? readonly [string?]
      : S extends `${string}…`
        ? readonly [string, ...string[]]
        : readonly [string]

/** Options that several commands have; where a command says nothing of them they cannot be given. */
export interface CommonOptions {
  readonly config: { readonly type: 'string'; readonly value: 'FILE'; readonly summary: string }
  readonly 'data-dir': { readonly type: 'string'; readonly value: 'DIR'; readonly summary: string }
  readonly set: { readonly type: 'string'; readonly multiple: true; readonly value: string; readonly summary: string }
  readonly url: { readonly type: 'string'; readonly value: 'URL'; readonly summary: string }
  readonly token: { readonly type: 'string'; readonly value: 'TOKEN'; readonly summary: string }
  readonly user: { readonly type: 'string'; readonly value: 'NAME'; readonly summary: string }
  readonly 'password-stdin': { readonly type: 'boolean'; readonly summary: string }
  readonly ca: { readonly type: 'string'; readonly value: 'FILE'; readonly summary: string }
  readonly json: { readonly type: 'boolean'; readonly summary: string }
}

/** What says which configuration. */
export const CONFIG_OPTIONS: Pick<CommonOptions, 'config' | 'data-dir' | 'set'> = {
  'data-dir': { type: 'string', value: 'DIR', summary: 'data directory of the broker; the same as --set dataDir=DIR' },
  config: { type: 'string', value: 'FILE', summary: 'YAML or JSON with settings; without it there is none' },
  set: {
    type: 'string',
    multiple: true,
    value: 'KEY.PATH=VALUE',
    summary: 'one setting, before file and environment; may be repeated',
  },
}

/** What says which broker. */
export const BROKER_OPTIONS: Pick<CommonOptions, 'url' | 'token' | 'user' | 'password-stdin' | 'ca'> = {
  url: {
    type: 'string',
    value: 'URL',
    summary:
      'a broker elsewhere, http(s)://HOST:PORT as its console; else TERNMQ_URL; without either, the data directory',
  },
  token: {
    type: 'string',
    value: 'TOKEN',
    summary: 'with --url: who asks; else TERNMQ_TOKEN, which others cannot see',
  },
  user: { type: 'string', value: 'NAME', summary: 'with --url, in place of a token; the password is asked for' },
  'password-stdin': { type: 'boolean', summary: 'with --user: the password is standard input' },
  ca: {
    type: 'string',
    value: 'FILE',
    summary: 'with --url: certificate of the authority that the broker’s is from, PEM',
  },
}

export const JSON_OPTION: { readonly [K in 'lines' | 'document']: CommonOptions['json'] } = {
  lines: { type: 'boolean', summary: 'as JSON, one object a line' },
  document: { type: 'boolean', summary: 'as JSON' },
}

export interface Input<T extends Options, A extends string> {
  readonly args: ArgsOf<A>
  readonly values: Values<T & Omit<CommonOptions, keyof T>>
  readonly io: ConsoleIo
}

export interface BrokerInput<T extends Options, A extends string> extends Input<T, A> {
  readonly connection: Connection
}

interface CommandFacts<T extends Options, A extends string> {
  /** '' of a command that is called as its noun. */
  readonly verb: string
  /** 'FROM TO [ID…]' */
  readonly args: A
  /** One line, without a full stop. */
  readonly summary: string
  /** What there is to know beside it, as lines. */
  readonly detail?: string
  /** Whether it has --json, and as what: one document, or one object a line. */
  readonly json?: 'document' | 'lines'
  readonly options?: T
}

export interface AnyCommand extends CommandFacts<Options, string> {
  /** Common options besides its own. */
  readonly asks: 'nothing' | 'config' | 'broker'
  /** Resolves with the exit code. */
  run(input: AnyInput): number | Promise<number>
}

/** As the parser makes it: by the command's own specification, so that `run` finds what its types say. */
export interface AnyInput {
  readonly args: readonly string[]
  readonly values: Readonly<Record<string, string | boolean | readonly string[] | undefined>>
  readonly io: ConsoleIo
}

export interface Noun {
  readonly name: string
  /** One line, without a full stop. */
  readonly summary: string
  readonly commands: readonly AnyCommand[]
}

/** A command that does not need a broker. */
export function command<const A extends string, const T extends Options = NoOptions>(
  spec: CommandFacts<T, A> & {
    readonly asks: AnyCommand['asks']
    run(input: Input<T, A>): number | Promise<number>
  },
): AnyCommand {
  return spec as unknown as AnyCommand
}

/**
 * A command that asks a broker that runs; the connection is there when it begins, and closed after it. Where it takes a queue it gets the
 * name of one, and what is refused for want of one says which was meant.
 */
export function brokerCommand<const A extends string, const T extends Options = NoOptions>(
  spec: CommandFacts<T, A> & { run(input: BrokerInput<T, A>): Promise<number> },
): AnyCommand {
  return command<A, T>({
    ...spec,
    asks: 'broker',
    run: async (input) => {
      const { withConnection } = await import('./connection.ts')
      return withConnection(input, async (connection) => {
        const { withQueueMeant, withQueueNames } = await import('./queue-names.ts')
        const { withTypedKeys } = await import('./settings-input.ts')
        try {
          const named = await withQueueNames(input as unknown as AnyInput, spec, connection.client)
          return await spec.run({ ...(named as unknown as Input<T, A>), connection })
        } catch (error) {
          if (!(error instanceof ApiProblem)) throw error
          const told = spec.args.includes('SETTING') ? withTypedKeys(error) : error
          throw told.problem.code === 'QUEUE_UNKNOWN' ? await withQueueMeant(told, connection.client) : told
        }
      })
    },
  })
}

/** All options that a command takes, its own first. */
export function optionsOf({ options = {}, json, asks }: AnyCommand): Options {
  return {
    ...options,
    ...(json !== undefined && { json: JSON_OPTION[json] }),
    ...without(asks === 'broker' ? BROKER_OPTIONS : {}, options),
    ...without(asks === 'nothing' ? {} : CONFIG_OPTIONS, options),
    help: HELP_OPTION,
  }
}

export const HELP_OPTION: Option = { type: 'boolean', short: 'h', summary: 'this text' }

function without(options: Options, others: Options): Options {
  return Object.fromEntries(Object.entries(options).filter(([name]) => others[name] === undefined))
}

/** 'destinations list' */
export function wordsOf({ name }: Pick<Noun, 'name'>, { verb }: Pick<AnyCommand, 'verb'>): string {
  return verb === '' ? name : `${name} ${verb}`
}
