/** The pages behind their addresses, and what is shown where there is none or one fails. */
import {
  createRootRoute,
  createRoute,
  createRouter,
  type ErrorComponentProps,
  lazyRouteComponent,
  Link,
} from '@tanstack/react-router'
import { EmptyState } from './components/empty-state.tsx'
import { Page } from './components/page.tsx'
import { ProblemView } from './components/problem-view.tsx'
import { toProblem } from './lib/api.ts'
import { BASE_PATH } from './lib/base.ts'
import { loadScript } from './lib/scripts.ts'
import { parseSearch, stringifySearch } from './lib/url-state.ts'
import { PAGES } from './pages.ts'
import { Root } from './shell.tsx'

const root = createRootRoute({ component: Root, notFoundComponent: NotFound, errorComponent: Failed })

const routeTree = root.addChildren(
  Object.entries(PAGES).map(([path, load]) => {
    const component = lazyRouteComponent(async () => ({ default: await loadScript(load) }))
    return createRoute({ getParentRoute: () => root, path, component })
  }),
)

export const router = createRouter({
  routeTree,
  basepath: BASE_PATH,
  parseSearch,
  stringifySearch,
  defaultPreload: 'intent',
  scrollRestoration: true,
  // Of the table that was there before: another page, or other rows, begin at their first.
  scrollToTopSelectors: ['.table-scroll'],
})

function NotFound() {
  return (
    <Page title="Not found">
      <EmptyState icon="search" title="There is no such page">
        The address may be misspelled. <Link to="/">To the overview</Link>
      </EmptyState>
    </Page>
  )
}

/** A page that threw, or whose script could not be loaded: after an update the old ones are gone. */
function Failed({ error, reset }: ErrorComponentProps) {
  return (
    <Page title="The page failed">
      <ProblemView problem={toProblem(error)} onRetry={reset} />
      <p>
        When the broker was just updated, <a href={BASE_PATH}>load the console anew</a>.
      </p>
    </Page>
  )
}
