import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { createSsvSigners } from '../../../adapters/ssv/create.js'
import { ssvOptions } from '../../../adapters/ssv/options.js'
import { loadNetwork } from '../../../core/network.js'
import { networkOptions } from '../../../core/network-options.js'
import { readOptions } from '../../../core/options.js'
import type { ExitSigner } from '../../../core/signer.js'
import { EXPECTED, OPERATOR_IDS, SSV_FIXTURE } from '../../core/clusters/ssv-fixture.js'
import { Chain, compactRegistry, type RecordedLog } from '../../devnet/chain.js'
import { ExecutionDouble } from '../../devnet/execution-double.js'
import { TestLog } from '../../doubles/log.js'

const hoodi = loadNetwork('hoodi')

describe('SSV signers over JSON-RPC', () => {
  let folder: string
  let chain: Chain
  let node: ExecutionDouble
  let log: TestLog
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ssv-http-'))
    log = new TestLog()
    chain = new Chain({ network: hoodi, registry: compactRegistry(0), head: 1_250_500, finalized: 1_250_400 })
    const logs = JSON.parse(readFileSync(`${SSV_FIXTURE}logs.json`, 'utf8')) as RecordedLog[]
    chain.addLogs(logs)
    chain.registerOperators(logs)
    node = await new ExecutionDouble(chain).listen()
  })
  afterEach(async () => {
    await node.close()
    rmSync(folder, { recursive: true })
  })

  const open = (): Promise<ExitSigner[]> =>
    createSsvSigners(
      readOptions(
        { ...ssvOptions, ...networkOptions },
        {
          flags: {},
          env: {
            SSV_OPERATOR_KEY_FILE_TEMPLATE: join(SSV_FIXTURE, 'operators/{operator_id}/private_key.base64'),
            SSV_OPERATOR_IDS: OPERATOR_IDS.join(','),
            EXECUTION_ENDPOINT: node.url,
            DATABASE: join(folder, 'ssv.db'),
          },
        },
      ),
      { network: hoodi, logger: log.logger, signal: new AbortController().signal },
    )

  const expectFinal = (signers: readonly ExitSigner[]): void => {
    for (const signer of signers) {
      const final = Object.entries(EXPECTED.finalByOperator[String(signer.shareIndex)] ?? {})
      const usable = final.filter(([, key]) => key.sharesInterpolateToPublicKey).map(([key]) => key)
      expect([...signer.validators().keys()]).to.have.members(usable)
    }
    expect(signers).to.have.length(4)
  }

  const startAndStop = async (check: (signers: readonly ExitSigner[]) => void): Promise<void> => {
    const signers = await open()
    try {
      check(signers)
    } finally {
      await Promise.all(signers.map((signer) => signer.close()))
    }
  }

  it('are ready from an endpoint that allows 50,000 blocks a call', async () => {
    node.maxRange = 50_000
    await startAndStop(expectFinal)
  })

  it('stay right over a reorganisation deeper than finality while nobody looked', async () => {
    await startAndStop(expectFinal)
    chain.reorganise(140)
    await startAndStop(expectFinal)
    chain.reorganise(200)
    await startAndStop(([signer]) => {
      expect([...(signer?.validators().keys() ?? [])]).to.deep.equal([EXPECTED.validators[0]?.publicKey])
    })
    expect(log.messages('warn').filter((line) => line.includes('reorganised'))).to.have.length(2)
  })
})
