/**
 * Writes docs/reference/metrics.md, the table of all metrics, from packages/metrics.
 *
 *   node tools/docs/src/metrics.ts           write the page
 *   node tools/docs/src/metrics.ts --check   end with 1 when the page is not what it would write
 *
 * --page FILE writes or checks another file.
 */
import { renderMetricsReference } from './metrics/page.ts'
import { runPageCommand } from './page-command.ts'

runPageCommand('metrics', 'docs/reference/metrics.md', renderMetricsReference)
