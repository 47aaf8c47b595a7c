import { describe, expect, test } from 'vitest'
import { settingProblems } from './setting-problems.ts'

describe('what is wrong with one value', () => {
  test('is said in the words of the configuration', () => {
    expect(settingProblems('mqtt.maxQos', 2)).toEqual([])
    expect(settingProblems('mqtt.maxQos', 9)).toEqual([
      'mqtt.maxQos: mqtt.maxQos is 9; allowed is a whole number from 0 to 2',
    ])
    expect(settingProblems('mqtt.maxQuos', 1)).toEqual([
      'mqtt.maxQuos: mqtt.maxQuos is not a known key; did you mean mqtt.maxQos?',
    ])
  })

  test('is not that another setting has to come with it', () => {
    expect(settingProblems('listeners.mqtts.tls.cert', 'a.pem')).toEqual([])
  })

  test('is also what two settings of one policy say together', () => {
    expect(settingProblems('policies', [{ match: 'a', settings: { ttlMs: 1 } }])).toEqual([])
    expect(settingProblems('policies', [{ match: 'a', settings: { ttlMs: 2, ttlMaxMs: 1 } }])).toEqual([
      'policies[0].settings.ttlMs is 2 and policies[0].settings.ttlMaxMs is 1; the first must not be the longer one',
    ])
  })
})
