import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { ConfigurationError, ConfigurationErrors } from '../../../core/errors.js'
import { DepositDataFile } from '../../../operator/deposit-data/deposit-data-file.js'
import { failureOf } from '../../doubles/failure.js'
import { TestLog } from '../../doubles/log.js'
import { fileText, hoodi, signedEntry, VAULT } from '../signed-entries.js'

const entry = (name: string) => signedEntry(name)

describe('the deposit data file', () => {
  let folder: string
  let file: string
  let log: TestLog
  const open = () =>
    new DepositDataFile(file, { network: hoodi, vault: VAULT, validatorType: undefined }, log.logger)
  /** As an editor replaces a file: the new one has another inode. */
  const write = (text: string) => {
    writeFileSync(`${file}.new`, text)
    renameSync(`${file}.new`, file)
  }

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'dvt-exit-deposit-data-'))
    file = join(folder, 'deposit_data.json')
    log = new TestLog()
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  for (const [what, text, message] of [
    ['is not there', undefined, /cannot read the deposit data: .*deposit_data\.json/],
    ['is not JSON', 'pubkey,signature\n', /deposit_data\.json is not JSON/],
    ['is no array', '{"pubkey": "0x12"}', /holds no JSON array of deposits/],
    ['is empty', '[]', /holds no deposit/],
    ['has no key', '[{"signature": "0x12", "amount": 1}]', /entry 0: .*pubkey/],
    [
      'is of another network',
      JSON.stringify([{ ...JSON.parse(fileText([entry('a')]))[0], fork_version: '00000000' }]),
      /entry 0: fork_version 0x00000000 is not that of hoodi \(0x10000910\)/,
    ],
    [
      'has a key twice',
      fileText([entry('a'), entry('b'), entry('a')]),
      /entry 2: the key 0x[0-9a-f…]+ stands in entry 0 too/,
    ],
    [
      'is for another vault',
      fileText([signedEntry('a', { vault: `0x${'12'.repeat(20)}` })]),
      /deposit_data\.json is for another vault/,
    ],
  ] as const) {
    it(`that ${what} is refused at the start, in one line`, async () => {
      if (text !== undefined) write(text)
      const error = await failureOf(open().deposits())
      expect(error).to.be.instanceOf(ConfigurationError).with.property('code', 'INVALID_DEPOSIT_DATA')
      expect(error.message).to.match(message).and.to.not.include('\n')
    })
  }

  it('names every wrong entry at once', async () => {
    write(fileText([entry('a'), entry('a'), entry('b'), entry('b')]))
    const error = await failureOf(open().deposits())
    expect(error).to.be.instanceOf(ConfigurationErrors)
    expect(error.message.split('\n')).to.have.length(2)
  })

  it('is not read again while it stays the same', async () => {
    write(fileText([entry('a')]))
    const depositData = open()
    const first = await depositData.deposits()
    expect(await depositData.deposits()).to.equal(first)
    expect(log.lines).to.deep.equal([])
  })

  it('is read again when it changes, and the tree with it', async () => {
    write(fileText([entry('a')]))
    const depositData = open()
    const first = await depositData.deposits()
    const tree = depositData.tree(first)
    expect(depositData.tree(first)).to.equal(tree)
    write(fileText([entry('a'), entry('b')]))
    const second = await depositData.deposits()
    expect(second.entries.map(({ publicKey }) => publicKey)).to.deep.equal([
      entry('a').publicKey,
      entry('b').publicKey,
    ])
    expect(depositData.tree(second).root).to.not.equal(tree.root)
    expect(log.messages('info')).to.deep.equal([`${file} has changed: 2 entries`])
  })

  for (const [what, change] of [
    ['is not JSON any more', () => write('[')],
    ['is of another vault now', () => write(fileText([signedEntry('a', { vault: `0x${'12'.repeat(20)}` })]))],
    ['has several mistakes now', () => write(fileText([entry('a'), entry('a'), entry('a')]))],
    ['is gone', () => rmSync(file)],
  ] as const) {
    it(`that ${what} is named once, and what was read before stays`, async () => {
      write(fileText([entry('a')]))
      const depositData = open()
      const first = await depositData.deposits()
      change()
      expect(await depositData.deposits()).to.equal(first)
      expect(await depositData.deposits()).to.equal(first)
      const errors = log.messages('error')
      expect(errors).to.have.length(1)
      expect(errors[0]).to.match(/^the deposit data read before stays in use: .*deposit_data\.json/)
      write(fileText([entry('b')]))
      expect((await depositData.deposits()).publicKey(0)).to.equal(entry('b').publicKey)
    })
  }
})
