/** The virtual host that commands are about: the only one until several can be configured. */
import { DEFAULT_VHOST, type VhostParams } from '@ternmq/api'

export const VHOST: VhostParams = { vhost: DEFAULT_VHOST }
