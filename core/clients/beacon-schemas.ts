/** The beacon API's answers as far as they are read, and their meaning in the product's terms. */
import { z } from 'zod'
import type { Genesis, Header, PendingDeposit, ValidatorStatus } from './beacon.js'
import { decimalField, hexField, indexField } from './json-fields.js'

/** Absent in the answers of some old versions, for whom nothing was optimistic. */
const certainty = { execution_optimistic: z.boolean().default(false), finalized: z.boolean().default(true) }

export const genesisAnswer = z
  .object({
    data: z.object({
      genesis_time: decimalField,
      genesis_validators_root: hexField(32),
      genesis_fork_version: hexField(4),
    }),
  })
  .transform(
    ({ data }): Genesis => ({
      time: data.genesis_time,
      validatorsRoot: data.genesis_validators_root,
      forkVersion: data.genesis_fork_version,
    }),
  )

export const syncingAnswer = z.object({
  data: z.object({
    is_syncing: z.boolean(),
    is_optimistic: z.boolean().default(false),
    el_offline: z.boolean().default(false),
  }),
})

export const headerAnswer = z.object({
  ...certainty,
  data: z
    .object({
      root: hexField(32),
      canonical: z.boolean(),
      header: z.object({ message: z.object({ slot: indexField, state_root: hexField(32) }) }),
    })
    .transform(({ root, canonical, header: { message } }): Header & { canonical: boolean } => ({
      root,
      canonical,
      slot: message.slot,
      stateRoot: message.state_root,
    })),
})

/** A list about a state, whose entries are yet to be checked. */
export const listAnswer = z.object({ ...certainty, data: z.array(z.unknown()) })

/** The same with the state's fork. */
export const listOfForkAnswer = listAnswer.extend({ version: z.string() })

export const validatorEntry = z
  .object({
    index: indexField,
    status: z.string(),
    balance: decimalField,
    validator: z.object({ pubkey: hexField(48), withdrawal_credentials: hexField(32) }),
  })
  .transform(
    ({ index, status, balance, validator }): ValidatorStatus => ({
      index,
      status,
      balance,
      publicKey: validator.pubkey,
      withdrawalCredentials: validator.withdrawal_credentials,
    }),
  )

export const pendingDepositEntry = z
  .object({
    pubkey: hexField(48),
    withdrawal_credentials: hexField(32),
    amount: decimalField,
    signature: hexField(96),
    slot: decimalField,
  })
  .transform(
    ({ pubkey, withdrawal_credentials, ...rest }): PendingDeposit => ({
      publicKey: pubkey,
      withdrawalCredentials: withdrawal_credentials,
      ...rest,
    }),
  )

/** The fork of a block, whatever its body. */
export const blockVersionAnswer = z.object({ ...certainty, version: z.string() })

/** A block from Bellatrix to Fulu, whose body has the execution payload. */
export const blockAnswer = z.object({
  data: z.object({
    message: z.object({
      state_root: hexField(32),
      body: z.object({
        execution_payload: z.object({ block_number: decimalField, block_hash: hexField(32) }),
      }),
    }),
  }),
})
