import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** The checkout. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url))

export interface ProcessEnd {
  readonly code: number | null
  /** Standard output and standard error as they came. */
  readonly output: string
}

/** Runs a command to its end, killed after `timeout` milliseconds. */
export function runProcess(
  command: string,
  parameters: readonly string[],
  { cwd = ROOT, env = {}, timeout }: { cwd?: string; env?: NodeJS.ProcessEnv; timeout: number },
): Promise<ProcessEnd> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, parameters, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout,
      killSignal: 'SIGKILL',
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text
      })
    }
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, output }))
  })
}

/** As runProcess, and throws with the end of the output unless the command exits with 0. */
export async function runSuccessfully(...command: Parameters<typeof runProcess>): Promise<string> {
  const { code, output } = await runProcess(...command)
  if (code === 0) return output
  throw new Error(`${command[0]} ${command[1].join(' ')} exited with ${code}:\n${output.slice(-4000)}`)
}
