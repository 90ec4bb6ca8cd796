import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { describeError, exitCodeOf } from '../../../core/errors.js'
import { readOptions } from '../../../core/options.js'
import { collectOptions, runCollect } from '../../../operator/collect/command.js'
import { useCanary } from '../../devnet/canary/shared.js'
import { TestLog } from '../../doubles/log.js'
import { until } from '../../doubles/poll.js'
import { RelayerDouble } from '../../doubles/relayer.js'
import { readRecording } from '../../doubles/wire-recordings.js'

const recording = readRecording('relayer-v0.3.1-v1-e2e') as (ReturnType<typeof readRecording>[number] & {
  name: string
})[]
const answer = (name: string) => {
  const found = recording.find((entry) => entry.name === name)
  if (found === undefined) throw new Error(`${name} was not recorded`)
  return found.response
}
const { public_keys: KEYS } = JSON.parse(
  recording.find((entry) => entry.name === 'validators-first')?.request.body ?? '',
) as { public_keys: string[] }

describe('dvt-exit operator collect', () => {
  let folder: string
  let relayer: RelayerDouble
  let log: TestLog
  let ready: boolean
  const signature = (i: number) => `0x${String(i).repeat(192)}`

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'collect-'))
    log = new TestLog()
    ready = true
    relayer = await new RelayerDouble(({ method, path }) => {
      if (path === '/info') return { body: { network: 'hoodi' } }
      if (method === 'POST') return answer(ready ? 'validators-all-ready' : 'validators-first')
      return answer(ready ? 'exits-all-ready' : 'exits-pending')
    }).start()
    const keys = JSON.parse(
      await readFile(new URL('../../fixtures/wire/keys.json', import.meta.url), 'utf8'),
    ) as { oracles_config: unknown }
    await writeFile(join(folder, 'oracles.json'), JSON.stringify(keys.oracles_config))
    // One more before them: --start leaves it out.
    const before =
      '8c04d003041268d0bc34aaef63d6a2e98c0a56e7cafc65d69b1e04b8aa149ec16193ae66e9e700567d22b9afd1c9b21d'
    const deposits = [before, ...KEYS].map((pubkey, i) => ({
      pubkey,
      signature: signature(i),
      amount: 32_000_000_000,
    }))
    await writeFile(join(folder, 'deposits.json'), JSON.stringify(deposits))
  })
  afterEach(async () => {
    await relayer.stop()
    useCanary().noteText('the log', log.lines.join(''))
    useCanary().noteFolder(folder)
    await rm(folder, { recursive: true })
  })

  const out = () => join(folder, 'exits.json')
  function run(env: Record<string, string | undefined> = {}, signal = new AbortController().signal) {
    const flags = { 'deposit-data': join(folder, 'deposits.json'), count: '3', start: '1', out: out() }
    const values = readOptions(collectOptions, {
      flags,
      env: {
        NETWORK: 'hoodi',
        RELAYER_ENDPOINT: relayer.url,
        PROTOCOL_CONFIG_FILE: join(folder, 'oracles.json'),
        UNCHECKED_INDEX: 'true',
        ...env,
      },
    })
    return runCollect(values, { signal, logger: log.logger })
  }
  async function refusal(env: Record<string, string | undefined>): Promise<string> {
    try {
      await run(env)
    } catch (error) {
      expect(exitCodeOf(error)).to.equal(2)
      return describeError(error)
    }
    throw new Error('it ran')
  }

  it('writes what an oracle is asked with', async () => {
    await run()
    const written = JSON.parse(await readFile(out(), 'utf8')) as Record<string, unknown>
    expect(written).to.have.all.keys(
      'validator_index',
      'public_keys',
      'deposit_signatures',
      'public_key_shards',
      'exit_signature_shards',
    )
    expect(written['validator_index']).to.equal(1005)
    expect(written['public_keys']).to.deep.equal(KEYS)
    expect(written['deposit_signatures']).to.deep.equal([signature(1), signature(2), signature(3)])
    for (const name of ['public_key_shards', 'exit_signature_shards']) {
      expect((written[name] as unknown[][]).map((shards) => shards.length)).to.deep.equal([11, 11, 11])
    }
  })

  it('stopped before everything is there leaves no file, and run again just works', async () => {
    ready = false
    const stop = new AbortController()
    const running = run({}, stop.signal).then(
      () => 'done',
      (error) => describeError(error),
    )
    await until(() => relayer.to('GET', '/exits').length > 0, 'a poll')
    stop.abort()
    expect(await running).to.include('stopped before every exit signature was there')
    let left = true
    await readFile(out()).catch(() => {
      left = false
    })
    expect(left).to.equal(false)
    ready = true
    await run()
    expect(JSON.parse(await readFile(out(), 'utf8'))).to.include({ validator_index: 1005 })
  })

  it('refuses a folder in place of the file before it asks for anything', async () => {
    await mkdir(out())
    expect(await refusal({}))
      .to.include(out())
      .and.include('it is a folder')
    expect(relayer.to('POST', '/validators')).to.deep.equal([])
  })

  it('refuses what does not fit, in one line each', async () => {
    const cases: [env: Record<string, string | undefined>, expected: string][] = [
      [{ UNCHECKED_INDEX: undefined }, '--unchecked-index'],
      [{ UNCHECKED_INDEX: undefined, EXECUTION_ENDPOINT: relayer.url }, 'CONSENSUS_ENDPOINT'],
      [{ PROTOCOL_CONFIG_FILE: undefined }, 'PROTOCOL_CONFIG_FILE'],
      [{ PROTOCOL_CONFIG_FILE: join(folder, 'none.json') }, 'none.json'],
      [{ NETWORK: undefined }, 'NETWORK'],
      [{ RELAYER_ENDPOINT: 'http://192.0.2.1' }, '--allow-plain-http'],
    ]
    for (const [env, expected] of cases) expect(await refusal(env)).to.include(expected)
    relayer.respond = () => ({ body: { network: 'gnosis' } })
    expect(await refusal({})).to.include('works for gnosis, this operator for hoodi')
    relayer.respond = () => ({ status: 401, body: { detail: 'Wrong token' } })
    expect(await refusal({}))
      .to.include('Wrong token')
      .and.include('RELAYER_TOKEN_FILE')
  })
})
