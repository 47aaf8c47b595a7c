/** One rule of the protocol has a different number in each of its versions. */

import type { MqttVersion } from './types.ts'

/** The same rule in MQTT 3.1 (which has sections only), 3.1.1 and 5. */
export type Clauses = readonly [v31: string, v311: string, v5: string]

/** The number of the rule that binds a peer speaking `version`. */
export function clauseFor(clauses: Clauses, version: MqttVersion): string {
  return clauses[version - 3]!
}
