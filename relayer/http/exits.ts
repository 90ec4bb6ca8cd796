import { z } from 'zod'
import { publicKeyField, shareIndexField, validatorIndexField } from '../../core/wire/fields.js'
import type { ExitService, ListedExit } from '../exits/service.js'
import type { App } from './fastify.js'
import { addWantedList, createdAt, createdFields } from './wanted-list.js'

const exitsAnswer = z.object({
  exits: z.array(
    z.object({
      public_key: publicKeyField,
      validator_index: validatorIndexField,
      is_exit_signature_ready: z.boolean(),
      ...createdFields,
      share_indexes_ready: z.array(shareIndexField),
    }),
  ),
})

/** `GET /exits`: the exits that sidecars of dialect 1 are to sign. */
export function addExits(app: App, service: ExitService): void {
  addWantedList(app, {
    path: '/exits',
    summary: 'The wanted exits',
    answer: exitsAnswer,
    version: () => service.listVersion,
    make: async () => ({ exits: (await service.listExits()).map(toWire) }),
  })
}

function toWire(exit: ListedExit): z.input<typeof exitsAnswer>['exits'][number] {
  return {
    public_key: exit.publicKey,
    validator_index: exit.validatorIndex,
    is_exit_signature_ready: exit.isExitSignatureReady,
    ...createdAt(exit.createdAt),
    share_indexes_ready: [...exit.shareIndexesReady],
  }
}
