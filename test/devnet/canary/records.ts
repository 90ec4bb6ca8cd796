/** What is looked through: bytes, and where they were. */

/** Where something was written. */
export type Place =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'output'; readonly process: string; readonly stream: 'stdout' | 'stderr' }
  | { readonly kind: 'answer'; readonly process: string; readonly request: string }
  /** What a test heard in its own process: log lines, error texts. */
  | { readonly kind: 'text'; readonly what: string }

export interface Recorded {
  readonly place: Place
  readonly bytes: Buffer
}

/** A place for people: "file /tmp/x/relayer.db-wal", "answer of relayer to GET /exits". */
export function describePlace(place: Place): string {
  switch (place.kind) {
    case 'file':
      return `file ${place.path}`
    case 'output':
      return `${place.stream} of ${place.process}`
    case 'answer':
      return `answer of ${place.process} to ${place.request}`
    case 'text':
      return place.what
  }
}
