/** Progress of a longer work: a bar that is redrawn on a terminal, one line at the end elsewhere. */

const WIDTH = 30

/** Called with how much is done, of how much. */
export type Progress = (done: number, total: number) => void

/**
 * A progress bar on standard error where that is a terminal; nothing elsewhere, where logs speak.
 * @param label what is being done
 */
export function progressBar(label: string, out: NodeJS.WriteStream = process.stderr): Progress {
  if (!out.isTTY) return () => {}
  return (done, total) => {
    const filled = total === 0 ? WIDTH : Math.round((WIDTH * done) / total)
    out.write(
      `\r${label} [${'█'.repeat(filled)}${' '.repeat(WIDTH - filled)}] ${done}/${total}${done === total ? '\n' : ''}`,
    )
  }
}
