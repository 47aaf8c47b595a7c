/** A process that holds the lock of a directory until it is killed. */
import { nodeDisk } from '../src/node-disk.ts'

await nodeDisk(process.argv[2] ?? '').lock('lock')
process.send?.('locked')
process.on('message', () => {}) // stays until then
