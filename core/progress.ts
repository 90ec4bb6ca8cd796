/** Progress of a longer work: a bar that is redrawn on a terminal, plain lines now and then elsewhere. */

const WIDTH = 30
/** How many plain lines a work gives at most. */
const PLAIN_LINES = 4

/** Called with how much is done, of how much. */
export type Progress = (done: number, total: number) => void

/**
 * A progress bar on standard error where that is a terminal. Elsewhere a line at every quarter of the work, for
 * the log; nothing where no log is given.
 * @param label what is being done
 * @param log takes a plain line
 */
export function progressBar(
  label: string,
  out: NodeJS.WriteStream = process.stderr,
  log: (line: string) => void = () => {},
): Progress {
  return out.isTTY ? terminalBar(label, out) : plainLines(label, log)
}

function terminalBar(label: string, out: NodeJS.WriteStream): Progress {
  return (done, total) => {
    const filled = total === 0 ? WIDTH : Math.round((WIDTH * done) / total)
    const bar = `[${'█'.repeat(filled)}${' '.repeat(WIDTH - filled)}] ${done}/${total}`
    out.write(`\r${fitted(label, (out.columns ?? 80) - bar.length - 2)} ${bar}${done === total ? '\n' : ''}`)
  }
}

/** The end of a text that is too long: a bar in two lines could not be redrawn. */
function fitted(text: string, width: number): string {
  return text.length <= width ? text : `…${text.slice(text.length - Math.max(width - 1, 0))}`
}

function plainLines(label: string, log: (line: string) => void): Progress {
  let written = 0
  return (done, total) => {
    const due = total === 0 ? PLAIN_LINES : Math.floor((PLAIN_LINES * done) / total)
    if (due <= written) return
    written = due
    log(`${label}: ${done} of ${total}`)
  }
}
