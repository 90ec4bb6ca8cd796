import { expect } from 'chai'
import { loadNetwork } from '../../../core/network.js'
import { ETH, Scene, type SceneOptions, validatorsOf } from '../scene.js'

const hoodi = loadNetwork('hoodi')

describe('a round', function () {
  this.timeout(60_000)
  let scene: Scene | undefined

  const start = async (options: SceneOptions) => {
    scene = await Scene.start(options)
    return scene
  }

  afterEach(async () => {
    await scene?.close()
    scene = undefined
  })

  it('registers one', async () => {
    const validators = validatorsOf(hoodi, { count: 3 })
    const scene = await start({ kind: 'v5', validators, assets: 32n * ETH })
    const registration = await scene.registered()
    expect(registration.publicKeys).to.deep.equal([validators[0]?.deposit.publicKey])
    expect(await scene.publicKeys()).to.deep.equal([validators[0]?.deposit.publicKey])
  })
})
