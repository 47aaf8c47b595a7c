/**
 * `npm run -s package`: builds the `ternmq` package that people install, and packs it: build/ternmq/ and build/ternmq-VERSION.tgz, or in
 * another folder that is named. Our own packages become a few files of JavaScript with types; those of others stay dependencies, at the
 * versions that are tested here.
 */
import { join, resolve } from 'node:path'
import { makePackage } from './make-package.ts'

const ROOT = join(import.meta.dirname, '..', '..', '..')

const { file, sizeBytes, unpackedBytes, fileCount } = await makePackage(
  ROOT,
  resolve(process.argv[2] ?? join(ROOT, 'build')),
)
const mib = (bytes: number): string => `${(bytes / 1_048_576).toFixed(2)} MiB`
process.stdout.write(`${file}: ${mib(sizeBytes)}, ${fileCount} files of together ${mib(unpackedBytes)}\n`)
