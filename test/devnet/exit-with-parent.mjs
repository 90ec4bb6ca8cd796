// Loaded into every process that the devnet starts: none of them outlives it, even when it is killed.
process.on('disconnect', () => process.exit(1))
process.channel?.unref()
