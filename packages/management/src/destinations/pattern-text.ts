/** Patterns of topics as MQTT writes them, which the API does. */
import { ALL_BELOW, ONE_LEVEL, type PatternLevel } from '@ternmq/core'

export function filterText(levels: readonly PatternLevel[]): string {
  return levels.map((level) => (level === ONE_LEVEL ? '+' : level === ALL_BELOW ? '#' : level)).join('/')
}

export function filterLevels(text: string): PatternLevel[] {
  return text.split('/').map((level) => (level === '+' ? ONE_LEVEL : level === '#' ? ALL_BELOW : level))
}
