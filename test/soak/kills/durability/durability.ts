/** What is acknowledged, or leaves a process, is on the disk before: a kill does not show that, a trace does. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toHex } from '../../../../core/hex.js'
import { parseProtocolConfig } from '../../../../core/oracles/protocol-config.js'
import { type Devnet, startDevnet } from '../../../devnet/devnet.js'
import { protocolConfigOf } from '../../../devnet/oracles.js'
import { freePort } from '../../../devnet/processes.js'
import { check, type SoakPart, sum } from '../../part.js'
import { AgentScene } from '../agent/agent-scene.js'
import { Calls } from '../relayer/calls.js'
import { claimOf, makeValidators, THRESHOLD } from '../relayer/validators.js'
import { ObolNode } from '../sidecars/obol-node.js'
import { awaited, until } from '../waiting.js'
import { type Sent, sentAfter } from './trace.js'
import { missingStrace, TracedProcess } from './traced-process.js'

export const durability: SoakPart = {
  name: 'synced before it is acknowledged or sent (strace)',
  async run() {
    const skipped = missingStrace()
    if (skipped !== undefined) return { passed: 0, failed: 0, skipped }
    return sum([
      await check('the relayer’s database, before each answer to a post', () => withDevnet(traceRelayer)),
      await check('the sidecar’s audit log, before shares leave', () => withDevnet(traceSidecar)),
      await check('the agent’s database, before its transaction leaves', traceAgent),
    ])
  },
}

async function withDevnet(trace: (devnet: Devnet, folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'dvt-exit-trace-'))
  const devnet = await startDevnet({ oracles: 4, threshold: 3, ssvLogs: [] })
  try {
    await trace(devnet, folder)
  } finally {
    await devnet.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function traceRelayer(devnet: Devnet, folder: string): Promise<void> {
  const port = await freePort()
  const env = {
    ...devnet.env,
    RELAYER_PORT: String(port),
    DATABASE: join(folder, 'relayer.db'),
    RELAYER_KEY_FILE: join(folder, 'relayer.key'),
    SIGNATURE_THRESHOLD: String(THRESHOLD),
    ACCEPT_ORACLES: parseProtocolConfig(JSON.parse(protocolConfigOf(devnet.oracles)), 'devnet').setHash,
  }
  const trace = await traced(['relayer'], env, folder, async () => {
    const calls = new Calls(`http://127.0.0.1:${port}`, '')
    const validators = makeValidators(2, 'claimed')
    await awaited('exits are asked for', () => calls.ask(validators.map(({ publicKey }) => publicKey)))
    for (const node of [1n, 2n]) {
      for (const [i, validator] of validators.entries()) {
        const exit = toHex(validator.sign(node, devnet.nextIndex + i))
        const share = { public_key: validator.publicKey, exit_signature: exit }
        const claim = { public_key_shares: claimOf(validator), deposit_signature: exit }
        const posted =
          i === 0
            ? await calls.post('/exit-signature', { share_index: node, shares: [share] })
            : await calls.post('/signatures', { share_index: node, shares: [{ ...share, ...claim }] })
        if (posted?.length !== 0) throw new Error(`a share of node ${node} was not taken`)
      }
    }
  })
  assertSynced(
    sentAfter(trace, 'relayer.db-wal', (content) => content.includes('HTTP/1.1 200')),
    5,
  )
}

async function traceSidecar(devnet: Devnet, folder: string): Promise<void> {
  const node = await ObolNode.start(devnet, folder, 2)
  try {
    for (const [i, publicKey] of node.publicKeys.entries()) {
      node.relayer.want({ publicKey, validatorIndex: 1_300_000 + i, withDeposit: i % 2 === 1 })
    }
    const trace = await traced(['sidecar', 'obol'], { ...devnet.env, ...node.env }, folder, () =>
      until('all is signed', () => node.relayer.missing.length === 0),
    )
    const isPost = (content: string) => /POST \/(exit-signature|signatures)/.test(content)
    const posts = sentAfter(trace, 'audit.log', isPost)
    // Only what is posted for the first time is noted.
    assertSynced(
      posts.filter(({ written, synced }) => written || !synced),
      1,
    )
  } finally {
    await node.close()
  }
}

async function traceAgent(): Promise<void> {
  const world = await AgentScene.start(1)
  try {
    await world.fund(1)
    const { folder } = world.scene.devnet
    const trace = await traced(['operator'], world.env, folder, () =>
      until('the validator is registered', async () => (await world.registeredCount()) === 1),
    )
    assertSynced(
      sentAfter(trace, 'operator.db-wal', (content) => content.includes('eth_sendRawTransaction')),
      1,
    )
  } finally {
    await world.close()
  }
}

/** Runs a command under strace for as long as the work takes. @returns the trace */
async function traced(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  folder: string,
  work: () => Promise<void>,
): Promise<string> {
  const running = new TracedProcess(args, env, folder, join(folder, 'trace'))
  try {
    await work()
  } catch (error) {
    throw new Error(`${String(error)}\n${running.output.slice(-2_000)}`)
  } finally {
    await running.end()
  }
  return running.end()
}

function assertSynced(sent: readonly Sent[], expected: number): void {
  if (sent.length < expected) throw new Error(`${sent.length} of ${expected} messages are in the trace`)
  const wrong = sent.findIndex(({ written, synced }) => !written || !synced)
  if (wrong < 0) return
  const { written } = sent[wrong] ?? {}
  throw new Error(
    `message ${wrong} left ${written === true ? 'before the file was synced' : 'and nothing was written'}`,
  )
}
