/** Recorded traffic of the Python parts, as far as a peer can see it. */
import { readFileSync } from 'node:fs'

export interface Recording {
  readonly request: { readonly method: string; readonly path: string; readonly body: string | null }
  readonly response: { readonly status: number; readonly body: unknown }
}

/** A file of test/fixtures/wire by its name without extension. */
export function readRecording(name: string): Recording[] {
  const file = new URL(`../fixtures/wire/${name}.json`, import.meta.url)
  return JSON.parse(readFileSync(file, 'utf8')) as Recording[]
}

/** What a peer reads of a request: bodies are compared as JSON, spaces do not count. */
export function comparable(request: { method: string; path: string; body: string | null }) {
  return {
    method: request.method,
    path: request.path,
    body: request.body === null || request.body === '' ? null : (JSON.parse(request.body) as unknown),
  }
}
