/** node --import …/mitata-hook.ts FILE.bench.ts: what the benchmark file imports as mitata is mitata-results.ts. */
import { registerHooks } from 'node:module'

const OURS = new URL('./mitata-results.ts', import.meta.url).href

registerHooks({
  resolve: (specifier, context, nextResolve) =>
    specifier === 'mitata' && context.parentURL !== OURS && context.parentURL?.includes('/mitata/') !== true
      ? { url: OURS, format: 'module-typescript', shortCircuit: true }
      : nextResolve(specifier, context),
})
