import { progressBar } from '../../core/progress.js'

/** What a terminal shows below the log while a command waits. */
export interface StatusLine {
  /** Takes the line away, so that a log line can stand in its place. */
  clear(): void
  /** Shows how many of how many are there, where that is not shown already. */
  show(done: number, total: number): void
}

/** A bar on standard error where that is a terminal; nothing elsewhere, where the log speaks. */
export function terminalStatus(label: string, out: NodeJS.WriteStream = process.stderr): StatusLine {
  const draw = progressBar(label, out)
  let shown = ''
  return {
    clear: () => {
      if (shown !== '' && out.isTTY) out.write('\r\u001b[K')
      shown = ''
    },
    show: (done, total) => {
      if (shown === `${done}/${total}`) return
      shown = `${done}/${total}`
      draw(done, total)
    },
  }
}
