import { z } from 'zod'

/** The body of every refusal but that of a wrong shape. */
export const detailAnswer = z.object({ detail: z.string() })
