import { z } from 'zod'
import { publicKeyField, shareIndexField, validatorIndexField } from '../../core/wire/fields.js'
import type { ExitService, ListedExit } from '../exits/service.js'
import { CachedBody } from './cached-body.js'
import type { App } from './fastify.js'

const exitsAnswer = z.object({
  exits: z.array(
    z.object({
      public_key: publicKeyField,
      validator_index: validatorIndexField,
      is_exit_signature_ready: z.boolean(),
      created_at_timestamp: z.int().describe('seconds since 1970'),
      created_at_string: z.string().describe('UTC, 2026-11-20 10:15:00+0000'),
      share_indexes_ready: z.array(shareIndexField),
    }),
  ),
})

/** `GET /exits`: the exits that sidecars are to sign. 304 where the caller has the list already. */
export function addExits(app: App, service: ExitService): void {
  const body = new CachedBody(
    () => service.listVersion,
    async () => ({ exits: (await service.listExits()).map(toWire) }),
  )
  app.get(
    '/exits',
    {
      config: { action: 'reading' },
      schema: {
        summary: 'The wanted exits',
        description: 'Carries a strong ETag: with If-None-Match an unchanged list is answered 304.',
        response: { 200: exitsAnswer, 304: z.void().describe('The list that the caller has') },
      },
    },
    async (request, reply) => {
      const { text, etag } = await body.current()
      reply.header('etag', etag).header('cache-control', 'no-cache')
      if (isSame(request.headers['if-none-match'], etag)) return reply.code(304).send()
      return reply.type('application/json').send(text)
    },
  )
}

function toWire(exit: ListedExit): z.input<typeof exitsAnswer>['exits'][number] {
  return {
    public_key: exit.publicKey,
    validator_index: exit.validatorIndex,
    is_exit_signature_ready: exit.isExitSignatureReady,
    created_at_timestamp: exit.createdAt,
    created_at_string: utc(exit.createdAt),
    share_indexes_ready: [...exit.shareIndexesReady],
  }
}

/** 2026-11-20 10:15:00+0000 */
function utc(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ')}+0000`
}

/** If-None-Match compares weakly (RFC 9110, 13.1.2) and may list several. */
function isSame(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false
  const candidates = ifNoneMatch.split(',').map((candidate) => candidate.trim().replace(/^W\//, ''))
  return candidates.includes(etag) || candidates.includes('*')
}
