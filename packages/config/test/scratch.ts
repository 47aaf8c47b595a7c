/** A folder with configuration files, gone when the test file is done. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { loadConfig, type LoadOptions, type LoadResult } from '../src/load.ts'

export class Scratch {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'ternmq-config-'))

  constructor() {
    afterAll(() => rmSync(this.folder, { recursive: true, force: true }))
  }

  write(name: string, content: string | Uint8Array): void {
    writeFileSync(join(this.folder, name), content)
  }

  /** Loads `content` as config.yaml. */
  load(content: string | Uint8Array, options: LoadOptions = {}): LoadResult {
    this.write('config.yaml', content)
    return loadConfig({ file: 'config.yaml', cwd: this.folder, ...options })
  }

  /** The sentences about `content`; [] when there are none. */
  errorsIn(content: string | Uint8Array, options: LoadOptions = {}): readonly string[] {
    const result = this.load(content, options)
    return result.ok ? [] : result.errors
  }
}
