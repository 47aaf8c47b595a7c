/** Core and journal on virtual time, with a seeded schedule and seeded faults; see `simulate`. */
export { simulate, type SimulationCounts, type SimulationOptions } from './simulation.ts'
export { VARIANTS } from './variants.ts'
