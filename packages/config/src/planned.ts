/**
 * Names that later versions give a meaning. Until then a setting of theirs is accepted, so that one file serves both,
 * and a warning says that nothing comes of it.
 */
import { environmentName } from './settings.ts'

const LISTENERS = ['console']
const SECTIONS = ['console', 'metrics', 'virtualHosts']

/** Keys of sections; everything below them is planned too. */
export const plannedKeys: readonly string[] = [...LISTENERS.map((name) => `listeners.${name}`), ...SECTIONS]

/** Environment variables that are no settings. */
const PLANNED_VARIABLES = ['TERNMQ_ADMIN_PASSWORD']

/** The planned section that `key` is or lies in. */
export function plannedKeyOf(key: string): string | undefined {
  return plannedKeys.find((planned) => key === planned || key.startsWith(`${planned}.`))
}

/** The planned section or variable that an environment variable stands for. */
export function plannedVariable(name: string): string | undefined {
  if (PLANNED_VARIABLES.includes(name)) return name
  return plannedKeys.find((planned) => {
    const variable = environmentName(planned.split('.'))
    return name === variable || name.startsWith(`${variable}__`)
  })
}

export function plannedWarning(name: string): string {
  return `${name} is not built yet (planned); the setting has no effect`
}
