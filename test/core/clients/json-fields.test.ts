import { expect } from 'chai'
import { z } from 'zod'
import { checkEntries, indexField, readAnswer } from '../../../core/clients/json-fields.js'
import { UnavailableError } from '../../../core/errors.js'
import { failureOf } from '../../doubles/failure.js'

const entry = z.object({ index: indexField })
const entries = (count: number) => Array.from({ length: count }, (_, index) => ({ index: `${index}` }))

/** How many turns others got during some work that waits for nothing. */
async function turnsDuring(work: Promise<unknown>): Promise<number> {
  let turns = 0
  let running = true
  const turn = () => {
    turns += 1
    if (running) setImmediate(turn)
  }
  setImmediate(turn)
  await work
  running = false
  return turns
}

describe('a long list in an answer', () => {
  for (const count of [0, 1, 249, 250, 251, 1000]) {
    it(`is given whole and in order: ${count} entries`, async () => {
      const checked = await checkEntries('node', entries(count), entry)
      expect(checked.map(({ index }) => index)).to.deep.equal([...Array(count).keys()])
    })
  }

  it('is checked in turns with others', async () => {
    expect(await turnsDuring(checkEntries('node', entries(10_000), entry))).to.be.at.least(30)
  })

  it('is refused for one bad entry, wherever it is', async () => {
    for (const bad of [0, 250, 999]) {
      const list: unknown[] = entries(1000)
      list[bad] = { index: 7 }
      const error = await failureOf(checkEntries('node x', list, entry))
      expect(error).to.be.instanceOf(UnavailableError)
      expect(error.code).to.equal('UNEXPECTED_ANSWER')
      expect(error.message).to.include('node x')
    }
  })
})

describe('an answer’s integers', () => {
  const read = (text: string, schema: z.ZodType) =>
    readAnswer(
      'node',
      { status: 200, headers: {}, body: Buffer.from(text), quotable: (quoted) => quoted },
      schema,
    )

  it('are whole strings; a JSON number, which may have been rounded, is refused', () => {
    expect(read('{"index": "9007199254740991"}', entry)).to.deep.equal({ index: 9_007_199_254_740_991 })
    for (const index of ['9007199254740993', '"9007199254740993"', '1', '"0x1"', '"1e3"', '""', 'null']) {
      expect(() => read(`{"index": ${index}}`, entry), index).to.throw(UnavailableError)
    }
  })
})
