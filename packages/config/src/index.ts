/** Settings: where they come from, what they may be, how they are shown. */
export { configJsonSchema, type JsonSchema, allowedText, typeText } from './json-schema.ts'
export { decodeText, TextFault } from './document-text.ts'
export { FILE_BYTES_MAX } from './file.ts'
export type { Source } from './given.ts'
export {
  allowsAnonymous,
  checkExposure,
  isLoopback,
  type KnownUsers,
  listenersOf,
  type NamedListener,
  requiresAuthentication,
} from './listener-rules.ts'
export { loadConfig, type LoadOptions, type LoadResult } from './load.ts'
export { plannedKeys } from './planned.ts'
export { changedSettings, configAsJson, configAsYaml, type PrintedSetting } from './print.ts'
export { type ConfigChange, configChanges } from './reload.ts'
export { settingProblems } from './setting-problems.ts'
export { type Section, sections, type Setting, settings } from './settings.ts'
export type * from './types.ts'
export { asYaml, readYaml } from './yaml-document.ts'
