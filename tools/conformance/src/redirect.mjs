/** Loaded before each example: port 5672 is the broker's here, and Node has what it had when the examples were written. */
import net from 'node:net'
import util from 'node:util'

const STANDARD_PORT = 5672
const { connect } = net

Object.assign(net, {
  connect: (port, ...rest) => connect(port === STANDARD_PORT ? Number(process.env.REDIRECT_TO) : port, ...rest),
})
if (!('isArray' in util)) Object.assign(util, { isArray: Array.isArray })
