/** What is known of an outside test suite: how it is recognised, which runs it has, and how one of them is made. */

export interface Run {
  /** The suite's word for a part of it: a file, or a set of files. */
  readonly script: string
  /** Names of the tests; empty for all of the script. */
  readonly only: readonly string[]
  readonly skip: readonly string[]
  /** Settings of the broker; everything else is at its default. */
  readonly config: Readonly<Record<string, unknown>>
  /** Why these settings. */
  readonly because: string
}

export interface RunOptions {
  readonly only: readonly string[]
  readonly skip: readonly string[]
  /** File for a line of JSON per test. */
  readonly results: string
  /** Longest time of a test. */
  readonly seconds: number
  /** Longest time of the run. */
  readonly msMax: number
}

export interface Suite {
  /** Where it is kept: owner/name. */
  readonly name: string
  /** Its file under docs/conformance. */
  readonly page: string
  readonly runs: readonly Run[]
  /** By 'script name': why a failure there is none of the broker's. */
  readonly remarks: Readonly<Record<string, string>>
  /** `folder` has a copy of it. */
  readonly isIn: (folder: string) => boolean
  /** Versions of what runs it. */
  readonly tools: () => Readonly<Record<string, string>>
  /** Starts a broker and runs the tests against it. Throws an Error when the suite could not be run. */
  readonly run: (folder: string, run: Run, options: RunOptions) => Promise<void>
}
