/** Two benchmarks for the test of `bench micro`. */
import { bench, do_not_optimize, run } from 'mitata'

let sum = 0
bench('add', () => do_not_optimize(sum++))
bench('sort', () => do_not_optimize([3, 1, 2].toSorted((first, second) => first - second)))

await run()
