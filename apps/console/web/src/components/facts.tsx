/** Pairs of name and value. */
import type { ReactNode } from 'react'

export type Fact = readonly [name: string, value: ReactNode] | false | undefined

export function Facts({ facts }: { readonly facts: readonly Fact[] }) {
  return (
    <dl className="facts">
      {facts.map((fact) =>
        fact === false || fact === undefined ? null : (
          <div key={fact[0]}>
            <dt>{fact[0]}</dt>
            <dd>{fact[1]}</dd>
          </div>
        ),
      )}
    </dl>
  )
}
