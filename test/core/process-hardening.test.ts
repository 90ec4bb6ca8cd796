import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { nodeOptions, withoutCoreDumps } from '../../core/process-hardening.js'
import { until } from '../doubles/poll.js'

const TSX = import.meta.resolve('tsx')
const PROGRAM = fileURLToPath(new URL('./hardened-process.ts', import.meta.url))
const CANARY = `canary-${'c4'.repeat(16)}`
const LINUX = process.platform === 'linux'

describe('a process that holds secrets', function () {
  this.timeout(30_000)
  let folder: string
  let child: ChildProcess | undefined
  let output: string

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hardened-'))
    output = ''
  })
  afterEach(async () => {
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL')
      await once(child, 'close')
    }
    child = undefined
    rmSync(folder, { recursive: true, force: true })
  })

  /** Starts it in the folder, and waits until it runs. */
  const start = async (nodeArgs: string[], env: Record<string, string> = {}, shell?: string) => {
    const args = [...nodeArgs, '--import', TSX, PROGRAM]
    const [command, commandArgs] =
      shell === undefined
        ? [process.execPath, args]
        : ['sh', ['-c', `${shell}; exec "$@"`, 'sh', process.execPath, ...args]]
    const { PATH = '' } = process.env
    child = spawn(command, commandArgs, {
      cwd: folder,
      env: { PATH, CANARY, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (chunk: string) => {
        output += chunk
      })
    }
    await until(() => output.includes('hardened: runs') || child?.exitCode !== null, 'it runs')
    expect(output).to.include('hardened: runs')
    return child
  }
  const end = async (signal: NodeJS.Signals): Promise<number | NodeJS.Signals | null> => {
    const closed = once(child as ChildProcess, 'close')
    child?.kill(signal)
    const [code, by] = (await closed) as [number | null, NodeJS.Signals | null]
    return by ?? code
  }

  it('writes no heap snapshot and no report at a signal, keeps its debugger closed, and says so', async () => {
    const options = '--heapsnapshot-signal=SIGUSR2 --report-on-signal --report-uncaught-exception'
    const running = await start(['--report-signal=SIGPIPE', '--inspect=127.0.0.1:0'], {
      NODE_OPTIONS: options,
    })
    const [, debuggerAt = ''] = /ws:\/\/(127\.0\.0\.1:\d+)/.exec(output) ?? []
    expect(debuggerAt).to.not.equal('')
    for (const signal of ['SIGUSR2', 'SIGPIPE', 'SIGUSR1'] as const) running.kill(signal)
    const debuggerAnswers = await fetch(`http://${debuggerAt}/json`).then(
      () => true,
      () => false,
    )
    expect(debuggerAnswers).to.equal(false)
    // It takes signals in turn: at its end it has had the others.
    expect(await end('SIGTERM')).to.equal(0)
    expect(readdirSync(folder)).to.deep.equal([])
    expect(output).to.match(/debugger was open .* closed now/)
    expect(output).to.match(/--heapsnapshot-signal is switched off/)
    expect(output).to.match(/diagnostic reports are switched off/)
    expect(output.match(/Debugger listening/g)).to.have.length(1)
  })

  it('does not open the debugger at SIGUSR1', async () => {
    const running = await start([])
    running.kill('SIGUSR1')
    expect(await end('SIGTERM')).to.equal(0)
    expect(output).to.not.match(/Debugger/)
  })

  it('still stops at the signal that was to write a heap snapshot', async () => {
    await start(['--heapsnapshot-signal', 'SIGTERM'])
    expect(await end('SIGTERM')).to.equal(0)
    expect(output).to.match(/held 100/)
    expect(readdirSync(folder)).to.deep.equal([])
  })

  it('says what it cannot switch off', async () => {
    await start(['--heapsnapshot-near-heap-limit=1', '--tls-keylog=keys'], {
      NODE_TLS_REJECT_UNAUTHORIZED: '0',
    })
    expect(output).to.match(/WARN .*--heapsnapshot-near-heap-limit/)
    expect(output).to.match(/WARN .*--tls-keylog/)
    expect(output).to.match(/WARN .*NODE_TLS_REJECT_UNAUTHORIZED=0/)
  })

  it('leaves its memory out of a core dump, and warns where they are on', async function () {
    if (!LINUX || !coreLimitCanBeRaised()) this.skip()
    const running = await start([], {}, 'ulimit -c unlimited')
    expect(output).to.match(/WARN .*core dumps are on \(limit unlimited\): .*LimitCORE=0/)
    expect(readFileSync(`/proc/${running.pid}/coredump_filter`, 'utf8').trim()).to.match(/^0+$/)
    await end('SIGABRT')
    const dumps = readdirSync(folder)
    // Where dumps go to a program or another folder there is none to look into.
    for (const dump of dumps) {
      const content = readFileSync(join(folder, dump))
      expect(content.includes(CANARY), dump).to.equal(false)
      expect(content.length, dump).to.be.lessThan(16_000_000)
    }
  })

  it('says nothing where there is nothing to say', async () => {
    await start([], {}, 'ulimit -c 0')
    expect(output).to.not.match(/WARN/)
  })

  it('reads Node’s options as Node does', () => {
    const found = nodeOptions(
      ['--heapsnapshot_signal', 'SIGUSR2', '--inspect'],
      '--tls-keylog="a b" --report-on-signal "--diagnostic-dir=x y"',
    )
    expect([...found.keys()]).to.deep.equal([
      '--heapsnapshot-signal',
      '--inspect',
      '--tls-keylog',
      '--report-on-signal',
      '--diagnostic-dir',
    ])
    expect(found.get('--heapsnapshot-signal')).to.equal('SIGUSR2')
    expect(found.get('--diagnostic-dir')).to.equal('x y')
  })

  it('says that dumps hold every secret where their content cannot be chosen', () => {
    const limits = join(folder, 'limits')
    const filter = join(folder, 'missing', 'filter')
    writeFileSync(limits, 'Max core file size        1048576              unlimited            bytes\n')
    expect(withoutCoreDumps({ limits, filter }).join()).to.match(/limit 1048576.*every secret.*LimitCORE=0/)
    writeFileSync(limits, 'Max core file size        0                    unlimited            bytes\n')
    expect(withoutCoreDumps({ limits, filter })).to.deep.equal([])
    expect(withoutCoreDumps({ limits: join(folder, 'nowhere'), filter })).to.deep.equal([])
    expect(existsSync(filter)).to.equal(false)
  })
})

/** The hard limit may be lower in a container. */
function coreLimitCanBeRaised(): boolean {
  return /^Max core file size\s+\S+\s+unlimited/m.test(readFileSync('/proc/self/limits', 'utf8'))
}
