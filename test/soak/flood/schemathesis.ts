/** A second opinion on the API and its description: schemathesis, a fuzzer that somebody else wrote. */
import { existsSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { seededRandom } from '../kills/random.js'
import { check, type SoakPart, sum } from '../part.js'
import { ROOT, runProcess, runSuccessfully } from '../process.js'
import { FloodScene } from './scene.js'

const VERSION = '4.32.5'
const INSTALL_TIMEOUT = 4 * 60_000
const EXAMPLES = 300
const SHORT_EXAMPLES = 30
const TIMEOUT = 20 * 60_000

/**
 * What a stranger can rely on. Left out are what the description cannot say: that a body of the right form may be
 * refused for what it means (a key that is no point of the curve), and that callers on this machine need no token.
 */
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
  'negative_data_rejection',
  'unsupported_method',
]

export const schemathesis: SoakPart = {
  name: `schemathesis ${VERSION}`,
  async run(short) {
    const python = await findPython()
    if (python === undefined) return { passed: 0, failed: 0, skipped: 'there is no python3 with venv here' }
    const program = await install(python)
    const { seed } = seededRandom('schemathesis')
    const scene = await FloodScene.start({ env: { RELAYER_MAX_REQUESTS_PER_SECOND: '1000000' } })
    try {
      return sum([
        await check('the API is as it is described', async () => {
          const { code, output } = await runProcess(program, parametersFor(scene, short, seed), {
            cwd: dirname(program),
            timeout: TIMEOUT,
          })
          process.stdout.write(`  ${summaryOf(output)}\n`)
          if (code !== 0) throw new Error(`it exited with ${code}:\n${output.slice(-6000)}`)
        }),
        await check('honest requests are served', () => scene.serveHonestRequest()),
        await check('nothing unexpected is in the log', async () => {
          const { output } = scene.relayer
          const unexpected = output
            .split('\n')
            .filter((line) => /unexpected failure| (ERROR|FATAL) /.test(line))
          if (unexpected.length > 0) throw new Error(unexpected.slice(0, 5).join('\n'))
        }),
      ])
    } finally {
      await scene.stop()
    }
  },
}

function parametersFor({ port, token }: FloodScene, short: boolean, seed: number): string[] {
  const url = `http://127.0.0.1:${port}`
  return [
    ...['run', `${url}/openapi.json`, '--url', url, '--checks', CHECKS.join()],
    ...['--header', `Authorization: Bearer ${token}`],
    ...['--max-examples', String(short ? SHORT_EXAMPLES : EXAMPLES), '--seed', String(seed)],
    ...['--phases', 'examples,coverage,fuzzing', '--mode', 'all', '--workers', '2', '--no-color'],
    ...['--generation-database', 'none', '--suppress-health-check', 'all', '--request-timeout', '30'],
  ]
}

async function findPython(): Promise<string | undefined> {
  try {
    await runSuccessfully('python3', ['-c', 'import venv, ensurepip'], { timeout: 30_000 })
    return 'python3'
  } catch {
    return undefined
  }
}

/** The program in an environment of its own below node_modules, installed where it is not there yet. */
async function install(python: string): Promise<string> {
  const folder = join(ROOT, 'node_modules', '.cache', `schemathesis-${VERSION}`)
  const program = join(folder, 'bin', 'schemathesis')
  if (existsSync(program)) return program
  mkdirSync(folder, { recursive: true })
  await runSuccessfully(python, ['-m', 'venv', folder], { timeout: INSTALL_TIMEOUT })
  const pip = ['install', '--quiet', '--disable-pip-version-check', `schemathesis==${VERSION}`]
  await runSuccessfully(join(folder, 'bin', 'pip'), pip, { timeout: INSTALL_TIMEOUT })
  return program
}

/** The line of counts that it ends with. */
function summaryOf(output: string): string {
  return output.trim().split('\n').at(-1) ?? ''
}
