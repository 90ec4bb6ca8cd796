import type { z } from 'zod'

/** Issues shown of one value: the rest would only repeat them. */
const MOST = 3

/** What is wrong with the shape of something that came from outside, one line: `path: what` for each issue. */
export function describeShapeIssues({ issues }: z.ZodError): string {
  const shown = issues
    .slice(0, MOST)
    .map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`))
  return issues.length > MOST ? `${shown.join('; ')}; and ${issues.length - MOST} more` : shown.join('; ')
}
