/**
 * eclipse/paho.mqtt.testing: which of its scripts are run, with which settings of the broker, and what is to be said of
 * tests that ask for what the specifications do not.
 */

export interface Run {
  /** Under `interoperability/` of the suite. */
  readonly script: string
  /** Names of the tests; empty for all of the script. */
  readonly only: readonly string[]
  readonly skip: readonly string[]
  /** Settings of the broker; everything else is at its default. */
  readonly config: Readonly<Record<string, unknown>>
  /** Why these settings. */
  readonly because: string
}

/** This one test of each script needs a filter that may not be subscribed to. */
const REFUSAL_TEST = 'test_subscribe_failure'
const REFUSED_FILTER = {
  defaultAccess: 'allow',
  rules: [{ user: '*', topics: ['test/nosubscribe'], deny: ['read'] }],
}
const REFUSED_BECAUSE =
  `${REFUSAL_TEST} needs \`test/nosubscribe\` to be refused; it runs alone, because with such a rule this broker ` +
  'also refuses the filters that the other tests use and that would deliver it (`+/+`, `#`)'

export const RUNS: readonly Run[] = [
  { script: 'client_test.py', only: [], skip: [REFUSAL_TEST], config: {}, because: '' },
  {
    script: 'client_test.py',
    only: [REFUSAL_TEST],
    skip: [],
    config: { auth: REFUSED_FILTER },
    because: REFUSED_BECAUSE,
  },
  {
    script: 'client_test5.py',
    only: [],
    skip: [REFUSAL_TEST],
    config: { mqtt: { keepAliveMaxSeconds: 60 } },
    because: 'test_server_keep_alive asks for a server that allows at most 60 s',
  },
  {
    script: 'client_test5.py',
    only: [REFUSAL_TEST],
    skip: [],
    config: { auth: REFUSED_FILTER },
    because: REFUSED_BECAUSE,
  },
]

/** By 'script name': why a failure there is none of the broker's. */
export const REMARKS: Readonly<Record<string, string>> = {
  'client_test5.py test_dollar_topics':
    'Publishing to a name that begins with `$` is refused with PUBACK 0x87 and a reason string, as MQTT 5 §4.7.2 asks for ' +
    "('should prevent clients from using such topic names') and §3.4.2.2.2 allows. The suite's reader takes no PUBACK of " +
    "more than four bytes, so it breaks off there. The test's own comment says to leave it out with such servers.",
  'client_test5.py test_subscribe_failure':
    'The filter is refused with 0x87, Not authorized, which MQTT 5 §3.9.3 has for exactly this. The test asks for 0x80, and ' +
    "the suite's reader takes no other code of that table [MQTT5-3.9.3-2].",
}
