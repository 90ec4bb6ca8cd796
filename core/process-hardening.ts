/**
 * What would write a process's memory to disk, or show it to a debugger, switched off as far as the process can
 * do that itself: its memory holds key shares, exit signatures, passwords and tokens in the clear.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { close as closeInspector, url as inspectorUrl } from 'node:inspector'

/** Node's own options that were given, by name: on its command line or in NODE_OPTIONS. */
type NodeOptions = ReadonlyMap<string, string>

/** Where Linux tells and takes what concerns core dumps of this process. */
export interface CoreDumpFiles {
  /** /proc/self/limits. */
  readonly limits: string
  /** /proc/self/coredump_filter. */
  readonly filter: string
}
const CORE_DUMPS: CoreDumpFiles = { limits: '/proc/self/limits', filter: '/proc/self/coredump_filter' }

/**
 * Closes the debugger and keeps it closed, and switches off heap snapshots and diagnostic reports. To be called
 * before anything secret is read, and before signal handlers of one's own are set.
 * @returns what whoever started the process should know, one line each
 */
export function hardenProcess(): readonly string[] {
  const given = nodeOptions(process.execArgv, process.env['NODE_OPTIONS'] ?? '')
  return [
    ...closeDebugger(),
    ...switchOffHeapSnapshots(given),
    ...switchOffReports(given),
    ...withoutCoreDumps(CORE_DUMPS),
    ...whatStays(given, process.env),
  ]
}

/**
 * Node's options with their values, `--name value` and `--name=value` alike, underscores as dashes.
 * @param environment NODE_OPTIONS
 */
export function nodeOptions(args: readonly string[], environment: string): NodeOptions {
  const words = [...args, ...(environment.match(/"(?:\\.|[^"\\])*"|\S+/g) ?? [])].map((word) =>
    word.replace(/^"(.*)"$/, '$1'),
  )
  const found = new Map<string, string>()
  for (const [i, word] of words.entries()) {
    if (!word.startsWith('--')) continue
    const [name = '', ...value] = word.split('=')
    const next = words[i + 1] ?? ''
    found.set(
      name.replaceAll('_', '-'),
      value.length > 0 ? value.join('=') : next.startsWith('-') ? '' : next,
    )
  }
  return found
}

function closeDebugger(): string[] {
  // Node opens it at SIGUSR1 unless somebody listens.
  ignoreSignal('SIGUSR1')
  if (inspectorUrl() === undefined) return []
  closeInspector()
  return ['Node’s debugger was open (--inspect) and is closed now: it shows every secret of this process']
}

function switchOffHeapSnapshots(given: NodeOptions): string[] {
  const signal = given.get('--heapsnapshot-signal')
  if (signal === undefined) return []
  ignoreSignal(signal)
  return [
    `--heapsnapshot-signal is switched off: a heap snapshot would write every secret of this process to disk`,
  ]
}

function switchOffReports(given: NodeOptions): string[] {
  const { report } = process
  if (!report.reportOnSignal && !report.reportOnUncaughtException && !report.reportOnFatalError) return []
  report.reportOnSignal = false
  report.reportOnUncaughtException = false
  report.reportOnFatalError = false
  // Without a listener the signal would now end the process.
  if (given.has('--report-on-signal')) ignoreSignal(report.signal)
  return ['Node’s diagnostic reports are switched off: they would write the environment to disk']
}

/** Where core dumps are on, leaves the memory out of them, which a process can do, and says so. */
export function withoutCoreDumps({ limits, filter }: CoreDumpFiles): string[] {
  const limit = coreLimit(limits)
  if (limit === undefined || limit === '0') return []
  const advice =
    'Set LimitCORE=0 in its systemd unit, ulimit -c 0 in a shell, or --ulimit core=0 for a container'
  try {
    // core(5): no kind of memory is dumped.
    writeFileSync(filter, '0')
    return [`core dumps are on (limit ${limit}): this process left its memory out of them. ${advice}`]
  } catch {
    return [`core dumps are on (limit ${limit}): a crash would write every secret to disk. ${advice}`]
  }
}

/** The soft limit, as the kernel writes it; undefined where this is not Linux. */
function coreLimit(file: string): string | undefined {
  try {
    return /^Max core file size\s+(\S+)/m.exec(readFileSync(file, 'utf8'))?.[1]
  } catch {
    return undefined
  }
}

/** What only a start without it ends. */
function whatStays(given: NodeOptions, env: NodeJS.ProcessEnv): string[] {
  const dangers: readonly (readonly [found: boolean, what: string])[] = [
    [
      given.has('--heapsnapshot-near-heap-limit'),
      '--heapsnapshot-near-heap-limit writes every secret of this process to disk when memory runs short',
    ],
    [given.has('--tls-keylog'), '--tls-keylog writes to disk what opens this process’s https connections'],
    [
      env['NODE_TLS_REJECT_UNAUTHORIZED'] === '0',
      'NODE_TLS_REJECT_UNAUTHORIZED=0 takes any certificate for right, but the relayer’s, which is checked all the same',
    ],
  ]
  return dangers
    .filter(([found]) => found)
    .map(([, what]) => `${what}, and cannot be switched off now: start without it`)
}

/** Whoever listened, Node itself included, does so no more, and the signal does nothing. */
function ignoreSignal(signal: string): void {
  if (process.platform === 'win32') return
  process.removeAllListeners(signal)
  process.on(signal, () => undefined)
}
