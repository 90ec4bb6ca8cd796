import { expect } from 'chai'
import { RelayerClient } from '../../core/clients/relayer.js'
import { ConfigurationError, UnavailableError } from '../../core/errors.js'
import { assertRelayer } from '../../operator/relayer-check.js'
import { failureOf } from '../doubles/failure.js'
import { RelayerDouble } from '../doubles/relayer.js'
import { hoodi } from './signed-entries.js'

describe('the relayer of an operator', () => {
  let relayer: RelayerDouble
  const check = () => assertRelayer(new RelayerClient(relayer.url), hoodi)

  beforeEach(async () => {
    relayer = await new RelayerDouble(() => ({ body: { network: 'hoodi' } })).start()
  })
  afterEach(() => relayer.stop())

  it('works for the same network', async () => {
    await check()
    expect(relayer.to('GET', '/info')).to.have.length(1)
  })

  it('of another network is a mistake in the configuration', async () => {
    relayer.respond = () => ({ body: { network: 'mainnet' } })
    const error = await failureOf(check())
    expect(error).to.be.instanceOf(ConfigurationError).with.property('code', 'WRONG_NETWORK')
    expect(error.message).to.include('works for mainnet, this operator for hoodi')
  })

  for (const status of [401, 403, 404]) {
    it(`that answers ${status} is a mistake in the configuration`, async () => {
      relayer.respond = () => ({ status, body: { detail: 'no' } })
      const error = await failureOf(check())
      expect(error).to.be.instanceOf(ConfigurationError).with.property('code', 'RELAYER_REFUSES_OPERATOR')
      expect(error.message).to.include(String(status)).and.to.not.include('\n')
    })
  }

  for (const [what, answer] of [
    ['is not well', { status: 500, body: 'out of order' }],
    ['answers something else', { body: '<html>sign in</html>' }],
  ] as const) {
    it(`that ${what} is waited for`, async () => {
      relayer.respond = () => answer
      expect(await failureOf(check())).to.be.instanceOf(UnavailableError)
    })
  }

  it('that is away is waited for', async () => {
    const { url } = relayer
    await relayer.stop()
    expect(await failureOf(assertRelayer(new RelayerClient(url), hoodi))).to.be.instanceOf(UnavailableError)
    await relayer.start()
  })
})
