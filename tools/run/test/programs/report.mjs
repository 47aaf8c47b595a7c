/** Says how it was started, then ends with the exit code of its first argument. */
process.stdout.write(
  JSON.stringify({
    major: Number(process.versions.node.split('.')[0]),
    args: process.argv.slice(2),
    cwd: process.cwd(),
  }),
)
process.exitCode = Number(process.argv[2])
