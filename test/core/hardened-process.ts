/** A command that holds a secret and does nothing until it is stopped. */
import { runCommand } from '../../core/command.js'
import { text } from '../../core/options.js'

const options = { secret: { flag: 'secret', env: ['CANARY'], describe: 'a secret', parse: text } } as const
await runCommand('hardened', options, {}, async ({ secret = '' }, { signal, logger }) => {
  const held = Array.from({ length: 100 }, (_, i) => `${secret} ${i}`)
  logger.info('runs')
  const alive = setInterval(() => undefined, 60_000)
  await new Promise((resolve) => signal.addEventListener('abort', resolve))
  clearInterval(alive)
  logger.info(`held ${held.length}`)
})
