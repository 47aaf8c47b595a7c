/** Documents of others than the configuration, in the same languages. */
import { parse, stringify } from 'yaml'

/** YAML, or JSON, which is YAML. Throws with line and column of what is wrong. */
export function readYaml(text: string): unknown {
  return parse(text) as unknown
}

export function asYaml(value: unknown): string {
  return stringify(value)
}
