import type { z } from 'zod'

/**
 * Binds a schema to the interface written for it. Does not compile when either has a key that the other has not, or
 * another type for it: `isolatedDeclarations` keeps us from exporting what zod infers, so both exist.
 */
export function typed<T>(): <S extends z.ZodType<T>>(
  schema: S & (T extends z.infer<S> ? unknown : never),
) => z.ZodType<T> {
  return (schema) => schema
}
