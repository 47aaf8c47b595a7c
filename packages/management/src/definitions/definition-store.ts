/**
 * What was defined through the API, in the engine's catalog: `definitions/KIND/ID`, each a JSON text with a version. Read once, before
 * anything listens; then memory answers, and a change is written before it counts. One that cannot be read stays where it is, does not
 * count, and operators are told: a broker that does not start because of one policy helps nobody, one that forgets it in silence neither.
 */
import type { Permission, TokenRecord } from '@ternmq/auth'
import type { Catalog, CatalogEntry, CatalogOp } from '@ternmq/store'
import {
  type DefinitionKind,
  DEFINITION_BYTES_MAX,
  PERMISSIONS,
  POLICIES,
  type PolicyDefinition,
  SETTINGS,
  TOKENS,
} from './definition-kinds.ts'
import { ApiError } from '../errors.ts'

const PREFIX = 'definitions/'
/** What is written, and the only one that is read so far. */
const VERSION = 1

export interface DamagedDefinition {
  /** Of the catalog. */
  readonly key: string
  /** What is wrong and what to do, in a sentence. */
  readonly text: string
}

/** Undefined takes the definition away. */
export type DefinitionChanges<T> = ReadonlyMap<string, T | undefined>

export class DefinitionSection<T> {
  readonly #kind: DefinitionKind<T>
  readonly #store: DefinitionStore
  readonly #byId = new Map<string, T>()

  constructor(kind: DefinitionKind<T>, store: DefinitionStore) {
    this.#kind = kind
    this.#store = store
  }

  get all(): ReadonlyMap<string, T> {
    return this.#byId
  }

  get(id: string): T | undefined {
    return this.#byId.get(id)
  }

  /** Whether there is one, be it damaged. */
  has(id: string): boolean {
    return this.#byId.has(id) || this.#store.isDamaged(this.#keyOf(id))
  }

  /**
   * All of the changes or none; resolves once they last. Rejects with ApiError: LIMIT_REACHED for one too many or too large,
   * STORE_FAILED. One at a time: see `DefinitionQueue`.
   */
  async change(changes: DefinitionChanges<T>): Promise<void> {
    const ops = [...changes].map(([id, value]): CatalogOp => ({
      key: this.#keyOf(id),
      value: value === undefined ? null : this.#encode(id, value),
    }))
    const newCount = [...changes].filter(([id, value]) => value !== undefined && !this.#byId.has(id)).length
    if (newCount > 0 && this.#byId.size + newCount > this.#kind.countMax) {
      const text = `there are ${this.#byId.size} definitions of kind '${this.#kind.name}', the limit is ${this.#kind.countMax}; remove some first`
      throw new ApiError('LIMIT_REACHED', text, { rule: `at most ${this.#kind.countMax}` })
    }
    await this.#store.commit(ops)
    for (const [id, value] of changes) {
      if (value === undefined) this.#byId.delete(id)
      else this.#byId.set(id, value)
    }
  }

  /** Throws an error whose message is the end of a sentence about the definition. */
  load(id: string, value: unknown): void {
    this.#byId.set(id, this.#kind.check(id, value))
  }

  #keyOf(id: string): string {
    return `${PREFIX}${this.#kind.name}/${id}`
  }

  #encode(id: string, value: T): Uint8Array {
    const bytes = Buffer.from(JSON.stringify({ version: VERSION, value }))
    if (bytes.length <= DEFINITION_BYTES_MAX) return bytes
    const text = `the ${this.#kind.name} '${id}' has ${bytes.length} bytes, ${DEFINITION_BYTES_MAX} are the limit; say less, or divide it`
    throw new ApiError('LIMIT_REACHED', text, { rule: `at most ${DEFINITION_BYTES_MAX} bytes` })
  }
}

export class DefinitionStore {
  readonly policies: DefinitionSection<PolicyDefinition> = new DefinitionSection(POLICIES, this)
  readonly permissions: DefinitionSection<Permission> = new DefinitionSection(PERMISSIONS, this)
  readonly tokens: DefinitionSection<TokenRecord> = new DefinitionSection(TOKENS, this)
  readonly settings: DefinitionSection<unknown> = new DefinitionSection(SETTINGS, this)
  readonly #catalog: Catalog
  readonly #damaged = new Map<string, DamagedDefinition>()

  private constructor(catalog: Catalog) {
    this.#catalog = catalog
  }

  /** Reads what is there; `report` hears of each that is damaged. Rejects when the catalog cannot be read at all. */
  static async open(catalog: Catalog, report: (text: string) => void): Promise<DefinitionStore> {
    const store = new DefinitionStore(catalog)
    for await (const page of catalog.scan(PREFIX)) {
      for (const entry of page) store.#load(entry)
    }
    for (const { text } of store.damaged) report(text)
    return store
  }

  /** Those that do not count, because they cannot be read. They stay in the catalog until they are written anew or deleted. */
  get damaged(): readonly DamagedDefinition[] {
    return [...this.#damaged.values()]
  }

  isDamaged(key: string): boolean {
    return this.#damaged.has(key)
  }

  /** For sections only. */
  async commit(ops: readonly CatalogOp[]): Promise<void> {
    if (ops.length === 0) return
    try {
      await this.#catalog.commit(ops)
    } catch (cause) {
      throw new ApiError(
        'STORE_FAILED',
        `the store did not take the change: ${(cause as Error).message}; nothing counts that was not saved`,
      )
    }
    for (const { key } of ops) this.#damaged.delete(key)
  }

  #load({ key, value }: CatalogEntry): void {
    try {
      this.#loadInto(key.slice(PREFIX.length), value)
    } catch (error) {
      const text = `definition '${key}' ${(error as Error).message}; it does not count: write it anew or delete it, or start the version that wrote it`
      this.#damaged.set(key, { key, text })
    }
  }

  #loadInto(place: string, bytes: Uint8Array): void {
    const slash = place.indexOf('/')
    const section = this.#sections().get(place.slice(0, slash))
    if (section === undefined) throw new Error('is of a kind that this version does not know')
    const { version, value } = parse(bytes)
    if (version !== VERSION) throw new Error(`has version ${JSON.stringify(version)}, this version reads ${VERSION}`)
    section.load(place.slice(slash + 1), value)
  }

  #sections(): ReadonlyMap<string, { load(id: string, value: unknown): void }> {
    return new Map<string, { load(id: string, value: unknown): void }>([
      [POLICIES.name, this.policies],
      [PERMISSIONS.name, this.permissions],
      [TOKENS.name, this.tokens],
      [SETTINGS.name, this.settings],
    ])
  }
}

function parse(bytes: Uint8Array): { readonly version?: unknown; readonly value?: unknown } {
  try {
    const parsed: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    if (typeof parsed === 'object' && parsed !== null) return parsed
  } catch {
    // One sentence for all of it: nobody repairs the text by hand.
  }
  throw new Error('is damaged')
}
