/**
 * Set up before each file of tests, for vitest.config.ts: properties are tried with the same inputs in every run, so that none passes today
 * and fails tomorrow. TERNMQ_SEED has others tried; who is looking for what nobody has found yet takes `npm run fuzz`.
 */
import fc from 'fast-check'

fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(process.env['TERNMQ_SEED'] ?? 1) })
