import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { Secret } from '../../core/secret.js'

const SCRIPT = fileURLToPath(new URL('log-lines.ts', import.meta.url))

/** What a process writes to standard error that logs one warning. Nothing may go to standard output. */
async function logged(format: string, level: string, fields: object, message: string): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [
    '--import',
    'tsx',
    SCRIPT,
    format,
    level,
    JSON.stringify(fields),
    JSON.stringify(message),
  ])
  expect(stdout).to.equal('')
  return stderr
}

describe('log lines', () => {
  it('for people: time, level, name, message and fields', async () => {
    const line = await logged('plain', 'info', { index: 3, key: '0xab', nested: { a: [1] } }, 'a share came')
    expect(line).to.match(
      /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} WARN {2}relayer: a share came index=3 key=0xab nested=\{"a":\[1\]\}\n$/,
    )
  })

  it('for machines: one JSON object', async () => {
    const line = await logged('json', 'info', { reason: 'a\nb' }, 'c\nd')
    expect(line.trimEnd().split('\n')).to.have.length(1)
    const event = JSON.parse(line) as Record<string, unknown>
    expect(event).to.include({ name: 'relayer', level: 40, msg: 'c\nd', reason: 'a\nb' })
    expect(Date.parse(String(event['time']))).to.be.greaterThan(0)
  })

  it('stay one line, and steer no terminal, whatever comes from outside', async () => {
    const forged = '\n2026-01-01 00:00:00.000 INFO  relayer: all is well'
    const line = await logged(
      'plain',
      'info',
      { reason: `x${forged}\r\n\u2028\u2029\u0085`, clear: '\u001b[2J\u0007\u0000\u009b' },
      `message${forged}`,
    )
    expect(line.endsWith('\n')).to.equal(true)
    const text = line.slice(0, -1)
    expect(text).not.to.match(/[\r\n\u2028\u2029]/u)
    expect(text).not.to.match(/\p{Cc}/u)
    expect(text).to.match(/^\d{4}-.* WARN {2}relayer: message ⏎ 2026-01-01/)
  })

  it('below the level are not written', async () => {
    expect(await logged('plain', 'error', {}, 'too much')).to.equal('')
    expect(await logged('json', 'silent', {}, 'too much')).to.equal('')
  })

  it('show no secrets', () => {
    const secret = new Secret('hunter2')
    expect(`${secret} ${JSON.stringify({ secret })}`).to.equal('[secret] {"secret":"[secret]"}')
    expect(secret.reveal()).to.equal('hunter2')
  })
})
