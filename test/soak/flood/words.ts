/** Long words of a text: keys, shares, tokens, whatever stands between two quotes and is no name. */
export function wordsOf(text: string): Set<string> {
  const words = text.match(/[0-9A-Za-z_-]{24,}/g) ?? []
  return new Set(words.map((word) => word.toLowerCase().replace(/^0x/, '')))
}
