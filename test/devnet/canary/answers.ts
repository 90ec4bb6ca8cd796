/** Reads what record-answers.mjs noted. */
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import type { Recorded } from './records.js'

const line = z.union([
  z.object({ connection: z.number(), asked: z.string() }),
  z.object({ connection: z.number(), sent: z.base64() }),
])

/**
 * Every answer that a process gave, headers and body in one piece; what was sent before a request was understood is
 * an answer too.
 * @throws Error where an answer is compressed, so that nothing could be found in it
 */
export function readAnswers(file: string, process: string): Recorded[] {
  const answers = new Map<string, { request: string; chunks: Buffer[] }>()
  const current = new Map<number, number>()
  // The last line may be torn where the process was killed.
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1)
  for (const text of lines) {
    const record = line.parse(JSON.parse(text))
    const { connection } = record
    if ('asked' in record) current.set(connection, (current.get(connection) ?? 0) + 1)
    const id = `${connection} ${current.get(connection) ?? 0}`
    const answer = answers.get(id) ?? { request: 'what is no request', chunks: [] }
    if ('asked' in record) answer.request = record.asked
    else answer.chunks.push(Buffer.from(record.sent, 'base64'))
    answers.set(id, answer)
  }
  return [...answers.values()].map(({ request, chunks }) => {
    const bytes = Buffer.concat(chunks)
    if (/^content-encoding:/im.test(headOf(bytes))) {
      throw new Error(`${process} compressed its answer to ${request}: unpack it here before it is searched`)
    }
    return { place: { kind: 'answer', process, request }, bytes }
  })
}

function headOf(answer: Buffer): string {
  const end = answer.indexOf('\r\n\r\n')
  return answer.subarray(0, end === -1 ? undefined : end).toString('latin1')
}
