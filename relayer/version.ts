import { readFileSync } from 'node:fs'

/** The product's version, from package.json, which is one folder further up in the build. */
export function productVersion(): string {
  const file = new URL(
    import.meta.url.endsWith('.ts') ? '../package.json' : '../../package.json',
    import.meta.url,
  )
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}
