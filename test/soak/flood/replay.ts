/** Posts that come again: what they change, and what they are answered. */
import type { Random } from '../kills/random.js'
import { type Content, contentOf } from './database-content.js'
import { post, type RecordedPost } from './recorder.js'

export interface ReplayOptions {
  /** The relayer's URL. */
  readonly url: string
  readonly database: string
  /** Those of a run that is over. */
  readonly posts: readonly RecordedPost[]
  readonly times: number
  readonly random: Pick<Random, 'between'>
}

const AT_ONCE = 8
/** What the relayer notes of the chain moves with the chain. */
const NOTES_OF_CHAIN = 'checkpoints'
const LISTS = ['/exits', '/validators']

/** Sends them in random order, some at once. @returns what changed by that, nothing where all is well */
export async function replay({ url, database, posts, times, random }: ReplayOptions): Promise<string[]> {
  const before = { content: contentOf(database), lists: await listsOf(url) }
  const answers = new Map<RecordedPost, string>()
  for (const one of posts) answers.set(one, await send(url, one))
  const faults = new Set<string>()
  let left = times
  const worker = async () => {
    while (left-- > 0) {
      const one = posts[random.between(0, posts.length - 1)]
      if (one === undefined) throw new Error('nothing was recorded')
      const answer = await send(url, one)
      if (answer !== answers.get(one)) faults.add(`${one.path} was answered ${answer.slice(0, 200)}`)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  for (const [one, answer] of answers) {
    if (one.path !== '/validators' && !isSameAsRecorded(one, answer)) {
      faults.add(`${one.path} was answered ${one.answer.slice(0, 200)} first, ${answer.slice(0, 200)} again`)
    }
  }
  for (const table of changedTables(before.content, contentOf(database))) faults.add(`table ${table} changed`)
  if ((await listsOf(url)) !== before.lists) faults.add('the lists, or their ETags, changed')
  return [...faults]
}

/** What a share is answered never changes, but that one which nothing proved yet may be known for wrong later. */
function isSameAsRecorded({ status, answer: first }: RecordedPost, again: string): boolean {
  return again === `${status} ${first}` || (first === '{}' && again.includes('"rejected"'))
}

async function send(url: string, { path, body }: RecordedPost): Promise<string> {
  const { status, answer } = await post(url, path, body)
  return `${status} ${answer}`
}

async function listsOf(url: string): Promise<string> {
  const answers = await Promise.all(LISTS.map((path) => fetch(url + path)))
  return JSON.stringify(
    await Promise.all(
      answers.map(async (answer) => [answer.status, answer.headers.get('etag'), await answer.text()]),
    ),
  )
}

function changedTables(before: Content, after: Content): string[] {
  return Object.keys({ ...before, ...after })
    .filter((table) => table !== NOTES_OF_CHAIN)
    .filter((table) => JSON.stringify(before[table]) !== JSON.stringify(after[table]))
}
