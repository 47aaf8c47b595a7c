/**
 * Names that later versions give a meaning. Until then a setting of theirs is accepted, so that one file serves both,
 * and a warning says that nothing comes of it.
 */
import { environmentName } from './settings.ts'

/** Keys of sections; everything below them is planned too. */
export const plannedKeys: readonly string[] = ['virtualHosts']

/** The planned section that `key` is or lies in. */
export function plannedKeyOf(key: string): string | undefined {
  return plannedKeys.find((planned) => key === planned || key.startsWith(`${planned}.`))
}

/** The planned section that an environment variable stands for. */
export function plannedVariable(name: string): string | undefined {
  return plannedKeys.find((planned) => {
    const variable = environmentName(planned.split('.'))
    return name === variable || name.startsWith(`${variable}__`)
  })
}

export function plannedWarning(name: string): string {
  return `${name} is not built yet (planned); the setting has no effect`
}
