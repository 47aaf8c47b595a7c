/** Message annotations that concern receivers, by the conventions of JMS clients and of this broker. */

/** What kind of JMS message it is: a byte. */
export const JMS_MESSAGE_TYPE = 'x-opt-jms-msg-type'
/** What kinds of destination `to` and `reply-to` are: a byte each. */
export const JMS_DESTINATION = 'x-opt-jms-dest'
export const JMS_REPLY_TO = 'x-opt-jms-reply-to'
/** All properties, name and value in turn, where application properties cannot have them: MQTT's may repeat. */
export const ALL_PROPERTIES = 'x-opt-mqtt-user-properties'

/** Of `x-opt-jms-msg-type`; the other ones only JMS clients write. */
export const JmsType = { bytes: 3, text: 5 } as const

/** Of `x-opt-jms-dest` and `x-opt-jms-reply-to`: their place is their number. */
export const JMS_KINDS = ['queue', 'topic', 'temp-queue', 'temp-topic'] as const
