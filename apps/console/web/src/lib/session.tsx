/** Who looks at the console, and what he may do: what he may not is not shown. */
import { getMe, type Me, type Scope } from '@ternmq/api'
import { useQuery } from '@tanstack/react-query'
import { createContext, type ReactNode, useContext } from 'react'
import { call, setCsrfToken, toProblem } from './api.ts'
import { SESSION_KEY } from './query.ts'

const ASK_MS = 60_000
const AWAY_MS = 2_000

const SessionContext = createContext<Me | undefined>(undefined)

/** Undefined: nobody is logged in. Rejects when the broker cannot be asked. */
async function lookUpMe(): Promise<Me | null> {
  try {
    const me = await call(getMe)
    setCsrfToken(me.csrfToken)
    return me
  } catch (error) {
    if (toProblem(error).status === 401) return null
    throw error
  }
}

export function useSessionQuery(): { readonly me: Me | null | undefined; readonly error: Error | null } {
  const { data, error } = useQuery({
    queryKey: SESSION_KEY,
    queryFn: lookUpMe,
    staleTime: ASK_MS,
    // A page that is opened while the broker is away comes by itself.
    refetchInterval: ({ state }) => (state.status === 'error' ? AWAY_MS : ASK_MS),
  })
  return { me: data, error }
}

export function SessionProvider({ me, children }: { readonly me: Me; readonly children: ReactNode }) {
  return <SessionContext value={me}>{children}</SessionContext>
}

export function useMe(): Me {
  const me = useContext(SessionContext)
  if (me === undefined) throw new Error('useMe: outside SessionProvider')
  return me
}

export function useMay(scope: Scope): boolean {
  return useMe().scopes.includes(scope)
}

/** Children only for who may. */
export function IfMay({ scope, children }: { readonly scope: Scope; readonly children: ReactNode }) {
  return useMay(scope) ? children : null
}
