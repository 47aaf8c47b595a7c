/** A broker that is killed again and again while clients are at work, and what they saw of it. */
export { type CrashOptions, type CrashReport, runCrashes } from './run.ts'
export { RheaTransactions } from './rhea-transactions.ts'
