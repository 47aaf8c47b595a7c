/** Settings that say where something listens and which files it reads, for all that do. */
import { isIP } from 'node:net'
import { z } from 'zod'

/** A path longer than Linux opens is a mistake. */
const PATH_CHARS_MAX = 4_096

const HOST_NAME = /^(?!-)[A-Za-z0-9-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*$/
/** '10.0.0.256' or '127.1' is an address gone wrong, not a name. */
const ENDS_IN_A_NUMBER = /(^|\.)\d+$/

export function hostSetting(description: string): z.ZodDefault<z.ZodString> {
  return z
    .string()
    .refine(isHost)
    .default('127.0.0.1')
    .meta({ description, allowed: 'an IP address or a host name, without port and brackets', reload: 'start' })
}

export function portSetting(port: number): z.ZodDefault<z.ZodInt> {
  return z
    .int()
    .min(0)
    .max(65_535)
    .default(port)
    .meta({ description: 'TCP port. 0 lets the system choose a free one.', reload: 'start' })
}

export function pathSetting(description: string): z.ZodOptional<z.ZodString> {
  return z
    .string()
    .min(1)
    .max(PATH_CHARS_MAX)
    .optional()
    .meta({ description, allowed: 'a file path', path: true, reload: 'connection' })
}

function isHost(text: string): boolean {
  return isIP(text) !== 0 || (text.length <= 253 && HOST_NAME.test(text) && !ENDS_IN_A_NUMBER.test(text))
}
