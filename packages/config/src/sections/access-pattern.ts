/** Topic patterns of access rules, as MQTT writes them; packages/auth turns them into the core's form. */

/** Access rules. Beyond it the configuration is refused. */
export const RULES_MAX = 10_000

/** Topic patterns of one rule. Beyond it the configuration is refused. */
export const TOPICS_PER_RULE_MAX = 1_000

/** UTF-8 bytes of a topic filter: two length bytes allow no more. [MQTT5-4.7.3-3] */
const TOPIC_BYTES_MAX = 65_535

/**
 * True for a topic filter, in which %u (user name), %c (client id) and %% may stand. A shared subscription is none: rules
 * speak about topics, whoever shares them; a queue has wildcards of its own. [MQTT5-4.7.1-1] [MQTT5-4.7.1-2] [MQTT5-4.7.3-1] [MQTT5-4.7.3-2]
 */
export function isAccessPattern(text: string): boolean {
  if (text === '' || text.includes('\0') || !text.isWellFormed() || Buffer.byteLength(text) > TOPIC_BYTES_MAX)
    return false
  if (text.startsWith('$share/') || /%/.test(text.replace(/%[uc%]/g, ''))) return false
  if (text.startsWith('$queue/') && /[+#]/.test(text)) return false // of queues '*' and '>' are the wildcards
  const levels = text.split('/')
  return levels.every((level, index) =>
    level === '#' ? index === levels.length - 1 : level === '+' || !/[+#]/.test(level),
  )
}
