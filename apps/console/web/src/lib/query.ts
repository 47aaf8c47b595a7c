/** Calls as React components use them: looked up with a cache, or made once when somebody presses a button. */
import { notifications } from '@mantine/notifications'
import type { Call, Problem, Route } from '@ternmq/api'
import {
  keepPreviousData,
  MutationCache,
  QueryCache,
  QueryClient,
  useMutation,
  useQuery,
  useQueryClient,
  type UseQueryResult,
} from '@tanstack/react-query'
import { call, type CallInput, toProblem } from './api.ts'
import { forgetWhenLeft, isLeaving, markLeaving, type Thing, unmarkLeaving } from './leaving.ts'

/** Of the question who is logged in. */
export const SESSION_KEY = ['session']

/** A login that has ended shows with the next call: asking who is logged in brings the login page up, and the page stays in the address. */
function onError(error: unknown): void {
  if (toProblem(error).status === 401) void queryClient.invalidateQueries({ queryKey: SESSION_KEY })
}

export const queryClient: QueryClient = new QueryClient({
  queryCache: new QueryCache({ onError }),
  mutationCache: new MutationCache({ onError }),
  defaultOptions: {
    // Whether there is a network says nothing about a broker on the same machine.
    queries: { networkMode: 'always', retry: false, refetchOnWindowFocus: true, staleTime: 1_000 },
    mutations: { networkMode: 'always', retry: false },
  },
})

export interface LookOptions {
  /** How often it is looked up anew while the page can be seen. Never when left out. */
  readonly everyMs?: number | undefined
  readonly enabled?: boolean | undefined
}

/** Looks something up. What was there stays on screen while the next answer is on its way. */
export function useLook<C extends Call>(
  route: Route<C>,
  input: CallInput<C> = {},
  options: LookOptions = {},
): UseQueryResult<C['answer']> {
  return useQuery({
    queryKey: [route.id, input],
    queryFn: ({ signal, client, queryKey }) => {
      const known = isLeaving(input.params) ? client.getQueryData<C['answer']>(queryKey) : undefined
      return known ?? call(route, input, signal)
    },
    placeholderData: keepPreviousData,
    enabled: options.enabled ?? true,
    refetchInterval: options.everyMs ?? false,
  })
}

export interface Act<C extends Call> {
  readonly run: (input: CallInput<C>) => void
  readonly isRunning: boolean
  /** Of the last time, when it did not work. */
  readonly problem: Problem | undefined
  readonly reset: () => void
}

export interface ActOptions<C extends Call> {
  readonly onDone?: ((answer: C['answer'], input: CallInput<C>) => void) | undefined
  /** What will not be there any more: pages that show it do not ask for it again. */
  readonly removes?: ((input: CallInput<C>) => readonly Thing[]) | undefined
  /** What is told in a corner when it is done. */
  readonly says?: ((answer: C['answer'], input: CallInput<C>) => string) | undefined
  /** Failures are told in the corner too: of buttons that have no place of their own for them. */
  readonly tellProblem?: boolean | undefined
}

/** Does something, and has everything on the page looked up anew after it, whether it worked or not. */
export function useAct<C extends Call>(route: Route<C>, options: ActOptions<C> = {}): Act<C> {
  const client = useQueryClient()
  const mutation = useMutation({
    mutationFn: (input: CallInput<C>) => call(route, input),
    onMutate: (input) => {
      const removed = options.removes?.(input) ?? []
      markLeaving(removed)
      return removed
    },
    onSuccess: (answer, input, removed) => {
      if (options.says !== undefined) tell(options.says(answer, input))
      options.onDone?.(answer, input)
      forgetWhenLeft(client, removed)
    },
    onError: (error, _, removed = []) => {
      unmarkLeaving(removed)
      if (options.tellProblem === true) tellProblem(toProblem(error))
    },
    onSettled: () => client.invalidateQueries(),
  })
  return {
    run: (input) => mutation.mutate(input),
    isRunning: mutation.isPending,
    problem: mutation.error === null ? undefined : toProblem(mutation.error),
    reset: mutation.reset,
  }
}

export function tell(message: string): void {
  notifications.show({ message, autoClose: 4_000 })
}

export function tellProblem(problem: Problem): void {
  notifications.show({ title: problem.title, message: problem.detail, color: 'red', autoClose: 12_000 })
}
