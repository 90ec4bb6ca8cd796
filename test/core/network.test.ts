import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { ConfigurationError, describeError } from '../../core/errors.js'
import { forkVersionBytes, loadNetwork, NETWORK_NAMES } from '../../core/network.js'

function failureOf(run: () => unknown): ConfigurationError {
  try {
    run()
  } catch (error) {
    if (error instanceof ConfigurationError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

/** The table of the protocol: chain id, genesis and Capella fork versions, exit epoch, slot times. */
const TABLE = {
  mainnet: [1, '0x00000000', '0x03000000', 194_048, 12, 32],
  hoodi: [560_048, '0x10000910', '0x40000910', 0, 12, 32],
  gnosis: [100, '0x00000064', '0x03000064', 648_704, 5, 16],
} as const
/** Genesis validators root, genesis time, deposit contract, Keeper, SSVNetwork. */
const ANCHORS = {
  mainnet: [
    '0x4b363db94e286120d76eb905340fdd4e54bfe9f06bf33ff6cf5ad27f511bfe95',
    1_606_824_023,
    '0x00000000219ab540356cBB839Cbe05303d7705Fa',
    '0x6B5815467da09DaA7DC83Db21c9239d98Bb487b5',
    '0xDD9BC35aE942eF0cFa76930954a156B3fF30a4E1',
  ],
  hoodi: [
    '0x212f13fc4df078b6cb7db228f1c8307566dcecf900867401a92023d7ba99cb5f',
    1_742_213_400,
    '0x00000000219ab540356cBB839Cbe05303d7705Fa',
    '0xA7D1Ac9D6F32B404C75626874BA56f7654c1dC0f',
    '0x58410Bef803ECd7E63B23664C586A6DB72DAf59c',
  ],
  gnosis: [
    '0xf5dcb5564e829aab27264b9becd5dfaa017085611224cb3036f573368dbb9d47',
    1_638_993_340,
    '0x0B98057eA310F4d31F2a452B414647007d1645d9',
    '0xcAC0e3E35d3BA271cd2aaBE688ac9DB1898C26aa',
    undefined,
  ],
} as const

const DEVNET = {
  name: 'devnet',
  chainId: 1337,
  secondsPerSlot: 2,
  slotsPerEpoch: 8,
  genesisTime: 1_700_000_000,
  genesisForkVersion: '0x00000001',
  capellaForkVersion: '04000001',
  capellaForkEpoch: 3,
  genesisValidatorsRoot: `0x${'AB'.repeat(32)}`,
  depositContract: { address: `0x${'11'.repeat(20)}` },
  keeper: { address: `0x${'22'.repeat(20)}`, block: 7 },
}

describe('networks', () => {
  it('are mainnet, hoodi and gnosis', () => {
    expect(NETWORK_NAMES).to.deep.equal(['mainnet', 'hoodi', 'gnosis'])
  })

  for (const name of ['mainnet', 'hoodi', 'gnosis'] as const) {
    it(`${name} has its constants`, () => {
      const network = loadNetwork(name)
      expect(network.name).to.equal(name)
      expect([
        network.chainId,
        network.genesisForkVersion,
        network.capellaForkVersion,
        network.capellaForkEpoch,
        network.secondsPerSlot,
        network.slotsPerEpoch,
      ]).to.deep.equal(TABLE[name])
      expect([
        network.genesisValidatorsRoot,
        network.genesisTime,
        network.depositContract.address,
        network.keeper.address,
        network.ssvNetwork?.address,
      ]).to.deep.equal(ANCHORS[name])
      expect([...forkVersionBytes(network.capellaForkVersion)]).to.have.length(4)
    })
  }

  it('that are unknown are named, with those that exist', () => {
    for (const name of ['holesky', 'Mainnet', '', 'toString', '__proto__', 'constructor']) {
      const error = failureOf(() => loadNetwork(name))
      expect(error.code).to.equal('UNKNOWN_NETWORK')
      expect(describeError(error)).to.include('mainnet, hoodi, gnosis')
    }
    expect(failureOf(() => loadNetwork(undefined)).message).to.equal('unknown network (none given)')
  })

  describe('from NETWORK_CONFIG_FILE', () => {
    let folder: string
    const written = (content: unknown) => {
      const file = join(folder, 'network.json')
      writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
      return file
    }
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'dvt-exit-network-'))
    })
    afterEach(() => rmSync(folder, { recursive: true }))

    it('are read, normalised, and need no NETWORK', () => {
      const network = loadNetwork(undefined, written(DEVNET))
      expect(network).to.deep.include({ name: 'devnet', chainId: 1337, capellaForkVersion: '0x04000001' })
      expect(network.genesisValidatorsRoot).to.equal(`0x${'ab'.repeat(32)}`)
      expect(network.depositContract.block).to.equal(0)
      expect(network.ssvNetwork).to.equal(undefined)
    })

    it('override a network of the same name, and take the name from NETWORK where they have none', () => {
      expect(loadNetwork('hoodi', written({ ...DEVNET, name: 'hoodi' })).chainId).to.equal(1337)
      const { name: _, ...nameless } = DEVNET
      expect(loadNetwork('mine', written(nameless)).name).to.equal('mine')
      expect(failureOf(() => loadNetwork(undefined, written(nameless))).message).to.match(/has no name$/)
    })

    it('are refused in one line that names the file and the field', () => {
      const wrong: [unknown, RegExp][] = [
        [{ ...DEVNET, chainId: '1337' }, /chainId/],
        [{ ...DEVNET, chainId: 0 }, /chainId/],
        [{ ...DEVNET, capellaForkEpoch: -1 }, /capellaForkEpoch/],
        [{ ...DEVNET, capellaForkEpoch: 1.5 }, /capellaForkEpoch/],
        [{ ...DEVNET, genesisForkVersion: '0x0000' }, /genesisForkVersion.*4 bytes/],
        [{ ...DEVNET, genesisValidatorsRoot: '0xzz' }, /genesisValidatorsRoot.*hex/],
        [{ ...DEVNET, keeper: undefined }, /keeper/],
        [{ ...DEVNET, keeper: { address: '0x12' } }, /keeper\.address/],
        [[DEVNET], /network\.json/],
        ['null', /network\.json/],
        ['{"name": ', /network\.json/],
        ['', /network\.json/],
      ]
      for (const [content, expected] of wrong) {
        const error = failureOf(() => loadNetwork(undefined, written(content)))
        expect(error.code).to.equal('INVALID_NETWORK_CONFIG')
        expect(error.message).to.match(expected)
        expect(error.message).to.include(folder)
        expect(describeError(error)).not.to.include('\n')
      }
    })

    it('that cannot be read say why', () => {
      const error = failureOf(() => loadNetwork('hoodi', join(folder, 'absent.json')))
      expect(error.code).to.equal('INVALID_NETWORK_CONFIG')
      expect(error.message).to.include('ENOENT')
      expect(error.hint).to.include('NETWORK_CONFIG_FILE')
      expect(failureOf(() => loadNetwork('hoodi', folder)).message).to.include('EISDIR')
    })
  })
})
