/** Runs until a signal. SIGTERM ends it in its own way, with exit code 7; others as usual. */
process.on('SIGTERM', () => {
  process.stdout.write('drained')
  process.exit(7)
})
setInterval(() => undefined, 1_000)
process.stdout.write('ready')
