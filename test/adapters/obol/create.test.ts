import { readdirSync, renameSync } from 'node:fs'
import { join, relative } from 'node:path'
import { expect } from 'chai'
import { createObolSigners, type ObolContext } from '../../../adapters/obol/create.js'
import { obolOptions } from '../../../adapters/obol/options.js'
import { loadNetwork } from '../../../core/network.js'
import { readOptions } from '../../../core/options.js'
import { TestLog } from '../../doubles/log.js'
import { copyOfNode, nodeHome, removeCopies } from './node-directory.js'

const CLUSTER = 'obol-4n3t-hoodi'
const template = `${nodeHome(CLUSTER, 0).replace(/node0$/, 'node{node_index}')}/validator_keys`

function create(env: Record<string, string>, context: Partial<ObolContext> = {}) {
  const values = readOptions(obolOptions, { flags: {}, env })
  return createObolSigners(values, {
    network: loadNetwork('hoodi'),
    logger: new TestLog().logger,
    progress: () => {},
    ...context,
  })
}

async function shareIndexes(env: Record<string, string>): Promise<bigint[]> {
  const signers = await create(env)
  await Promise.all(signers.map((signer) => signer.close()))
  return signers.map((signer) => signer.shareIndex)
}

async function failureOf(work: () => Promise<unknown>): Promise<{ code?: string; message?: string }> {
  try {
    await work()
  } catch (error) {
    return error as { code?: string; message?: string }
  }
  throw new Error('it did not fail')
}

describe('signers of Charon nodes', () => {
  afterEach(removeCopies)

  it('are found by a relative directory, with or without a slash at its end, and from inside it', async () => {
    const directory = relative(process.cwd(), join(nodeHome(CLUSTER, 2), 'validator_keys'))
    expect(await shareIndexes({ OBOL_KEYSTORES_DIR: directory })).to.deep.equal([3n])
    expect(await shareIndexes({ OBOL_KEYSTORES_DIR: `${directory}/` })).to.deep.equal([3n])
    expect(await shareIndexes({ OBOL_KEYSTORES_DIR: `${directory}/.` })).to.deep.equal([3n])
  })

  it('take the lock from where OBOL_CLUSTER_LOCK_FILE says', async () => {
    const home = copyOfNode()
    renameSync(join(home, 'cluster-lock.json'), join(home, 'lock-of-us.json'))
    const env = { OBOL_KEYSTORES_DIR: join(home, 'validator_keys') }
    expect(await failureOf(() => create(env)))
      .to.have.property('message')
      .that.includes(join(home, 'cluster-lock.json'))
    expect(
      await shareIndexes({ ...env, OBOL_CLUSTER_LOCK_FILE: join(home, 'lock-of-us.json') }),
    ).to.deep.equal([1n])
  })

  it('act for several nodes where templates name their directories and locks', async () => {
    const env = {
      OBOL_KEYSTORES_DIR_TEMPLATE: template,
      OBOL_CLUSTER_LOCK_FILE: template.replace('validator_keys', 'cluster-lock.json'),
    }
    expect(await shareIndexes({ ...env, OBOL_NODE_INDEXES: '0, 2,3' })).to.deep.equal([1n, 3n, 4n])
  })

  it('are refused with a template that names one directory, none, the same one twice, or another node’s', async () => {
    const refused = async (env: Record<string, string>) => (await failureOf(async () => create(env))).code
    expect(await refused({})).to.equal('MISSING_OPTION')
    expect(await refused({ OBOL_KEYSTORES_DIR_TEMPLATE: template })).to.equal('MISSING_OPTION')
    for (const indexes of ['0,0', ',', '0,x', '0,-1']) {
      const env = { OBOL_KEYSTORES_DIR_TEMPLATE: template, OBOL_NODE_INDEXES: indexes }
      expect(await refused(env), indexes).to.equal('INVALID_OPTION')
    }
    const fixed = nodeHome(CLUSTER, 0)
    expect(await refused({ OBOL_KEYSTORES_DIR_TEMPLATE: fixed, OBOL_NODE_INDEXES: '0' })).to.equal(
      'INVALID_TEMPLATE',
    )
    const shifted = template.replace('node{node_index}', 'node{node_index}/../node1')
    const failure = await failureOf(() =>
      create({ OBOL_KEYSTORES_DIR_TEMPLATE: shifted, OBOL_NODE_INDEXES: '0,1,2' }),
    )
    expect(failure.message?.split('\n')).to.have.length(2)
    expect(failure.message).to.include('OBOL_NODE_INDEX is 0').and.include('OBOL_NODE_INDEX is 2')
  })

  it('report each keystore as it is decrypted', async () => {
    const seen: string[] = []
    const env = { OBOL_KEYSTORES_DIR: join(nodeHome(CLUSTER, 0), 'validator_keys') }
    const [signer] = await create(env, { progress: (done, total) => void seen.push(`${done}/${total}`) })
    await signer?.close()
    expect(seen).to.deep.equal(['1/2', '2/2'])
  })

  it('are none when the signal is aborted meanwhile, and no further keystore is decrypted', async () => {
    const stop = new AbortController()
    const seen: number[] = []
    const progress = (done: number) => {
      seen.push(done)
      stop.abort()
    }
    const env = { OBOL_KEYSTORES_DIR_TEMPLATE: template, OBOL_NODE_INDEXES: '0,1,2,3' }
    expect(await create(env, { progress, signal: stop.signal })).to.deep.equal([])
    const ofOneNode = readdirSync(template.replace('{node_index}', '0')).filter((name) =>
      /\.json$/.test(name),
    )
    expect(seen.length).to.be.within(1, ofOneNode.length)
  })
})
