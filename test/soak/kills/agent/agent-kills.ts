/** kill -9 of the operator agent at random moments of its rounds. */
import type { DvtExitProcess } from '../../../devnet/processes.js'
import { check, type Outcome, type SoakPart, sum } from '../../part.js'
import { type Random, seededRandom } from '../random.js'
import { pause, until } from '../waiting.js'
import { AgentScene } from './agent-scene.js'
import { recordsIn } from './operator-database.js'

const KILLS = { long: 50, short: 10 }
/** Validators that become affordable before each start, at most. */
const MOST_AT_ONCE = 2
/** Calls of a round, about. */
const CALLS = 50
/** Milliseconds. */
const LONGEST_WAIT = 20_000
const LATEST = 30

const MOMENTS = [
  'when a node has its transaction',
  'while it starts',
  'when it was told so',
  'when the relayer is asked',
  'when it looks for its transaction',
  'after some calls',
  'before its transaction reaches a node',
  'when an oracle is asked',
  'when it was told so',
  'when an oracle answers',
  'after some calls',
] as const
type Moment = (typeof MOMENTS)[number]

export const agentKills: SoakPart = {
  name: 'kill -9 of the operator agent',
  async run(short) {
    const random = seededRandom('agent')
    const kills = short ? KILLS.short : KILLS.long
    const world = await AgentScene.start(kills * MOST_AT_ONCE)
    try {
      const outcomes: Outcome[] = []
      for (let i = 0; i < kills; i++) {
        // Each moment comes, in an order of its own.
        const moment = i < MOMENTS.length ? (MOMENTS[i] ?? MOMENTS[0]) : random.pick(MOMENTS)
        outcomes.push(await check(`kill ${i}, ${moment}`, () => killOnce(world, moment, random)))
      }
      outcomes.push(await check('all is registered after all kills', () => finish(world)))
      return sum(outcomes)
    } finally {
      await world.close()
    }
  },
}

async function killOnce(world: AgentScene, moment: Moment, random: Random): Promise<void> {
  await world.fund(random.between(1, MOST_AT_ONCE))
  const waitsForBlock = random.next() < 0.4
  await world.mineAtOnce(!waitsForBlock)
  const agent = world.run()
  try {
    if (moment === 'while it starts') await pause(random.between(0, 2_000))
    else await reach(world, agent, moment, random)
    if (!agent.running && (await agent.exited).signal !== 'SIGKILL') {
      throw new Error(`it ended by itself:\n${agent.output}`)
    }
  } finally {
    await agent.kill()
    world.clearHooks()
  }
  if (waitsForBlock && random.next() < 0.5) await world.loseTransactions()
  await world.scene.devnet.anvil.mine()
  await world.mineAtOnce(true)
  assertNothing(await world.faults(), agent)
}

/** Catches the agent at the moment, and kills it there. */
async function reach(
  world: AgentScene,
  agent: DvtExitProcess,
  moment: Moment,
  random: Random,
): Promise<void> {
  const { node, scene } = world
  const kill = async () => {
    await pause(random.between(0, LATEST))
    await agent.kill()
  }
  const at = (method: string, expected: string) => (method === expected ? kill() : undefined)
  let left = random.between(1, CALLS)
  switch (moment) {
    case 'while it starts':
      return
    case 'after some calls':
      node.before = () => (--left === 0 ? kill() : undefined)
      break
    case 'when the relayer is asked':
      scene.relayer.beforeAnswer = kill
      break
    case 'when an oracle is asked':
      scene.devnet.oracleServers.first(1, (oracle) => Object.assign(oracle, { beforeCheck: kill }))
      break
    case 'when an oracle answers':
      scene.devnet.oracleServers.first(1, (oracle) => Object.assign(oracle, { beforeAnswer: kill }))
      break
    case 'before its transaction reaches a node':
      node.before = async (method) => {
        await at(method, 'eth_sendRawTransaction')
        if (method === 'eth_sendRawTransaction') throw new Error('lost on the way')
      }
      break
    case 'when a node has its transaction':
      node.before = (method) => at(method, 'eth_sendRawTransaction')
      break
    case 'when it was told so':
      node.after = (method) => at(method, 'eth_sendRawTransaction')
      break
    case 'when it looks for its transaction':
      node.before = (method) => at(method, 'eth_getTransactionReceipt')
      break
  }
  // A transaction that is lost, or a block that does not come, can keep it from getting there.
  await Promise.race([agent.exited, pause(LONGEST_WAIT)])
}

/** All that the vault has assets for is registered, once, and the agent knows of all of it. */
async function finish(world: AgentScene): Promise<void> {
  const agent = world.run()
  try {
    await until(
      'all is registered',
      async () => !agent.running || (await world.registeredCount()) === world.funded,
      60_000,
    )
    await agent.waitFor(/the vault has 0 ETH|every entry of .* was registered/)
    await agent.stop()
    const { code } = await agent.exited
    if (code !== 0) throw new Error(`it ended with ${code}`)
  } catch (error) {
    throw new Error(`${String(error)}\n${agent.output.slice(-3_000)}`)
  } finally {
    await agent.kill()
  }
  assertNothing(await world.faults(), agent)
  const { transactions } = recordsIn(world.database)
  const open = transactions.filter(({ state }) => state === 'sent' || state === 'failed')
  assertNothing(
    open.map(({ id, state }) => `transaction ${id} is ${state}`),
    agent,
  )
  const mined = transactions.filter(({ state }) => state === 'mined' || state === 'final')
  const registered = mined.flatMap(({ publicKeys }) => publicKeys).length
  if (registered !== world.funded)
    throw new Error(`it knows of ${registered} of ${world.funded} registrations`)
  process.stdout.write(`  ${registered} validators by ${mined.length} transactions\n`)
}

function assertNothing(faults: readonly string[], agent: DvtExitProcess): void {
  if (faults.length === 0) return
  throw new Error(`${faults.slice(0, 5).join('\n    ')}\n${agent.output.slice(-3_000)}`)
}
