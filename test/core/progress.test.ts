import { expect } from 'chai'
import { progressBar } from '../../core/progress.js'

/** What a stream gets. */
function stream(isTTY: boolean, columns = 80) {
  const written: string[] = []
  const out = { isTTY, columns, write: (text: string) => written.push(text) > 0 }
  return { out: out as unknown as NodeJS.WriteStream, written }
}

describe('progress', () => {
  it('is a bar in one line of a terminal, which ends with the work', () => {
    const { out, written } = stream(true)
    const progress = progressBar('keystores', out)
    for (const done of [0, 1, 2]) progress(done, 2)
    expect(written).to.deep.equal([
      `\rkeystores [${' '.repeat(30)}] 0/2`,
      `\rkeystores [${'█'.repeat(15)}${' '.repeat(15)}] 1/2`,
      `\rkeystores [${'█'.repeat(30)}] 2/2\n`,
    ])
  })

  it('stays within the terminal’s width', () => {
    for (const columns of [80, 60, 40]) {
      const { out, written } = stream(true, columns)
      progressBar(`keystores of /a/${'long/'.repeat(40)}directory`, out)(1, 2)
      expect(written[0]).to.match(/^\r…/)
      if (columns >= 60) expect(written[0]?.length).to.be.at.most(columns)
    }
  })

  it('is a line at every quarter where there is no terminal, and never a bar', () => {
    const { out, written } = stream(false)
    const lines: string[] = []
    const progress = progressBar('keystores', out, (line) => lines.push(line))
    for (let done = 1; done <= 50; done++) progress(done, 50)
    expect(lines).to.deep.equal([
      'keystores: 13 of 50',
      'keystores: 25 of 50',
      'keystores: 38 of 50',
      'keystores: 50 of 50',
    ])
    progressBar('quiet', out)(1, 1)
    expect(written).to.deep.equal([])
  })
})
