/** JSON as it is written: what no parsed value can hold (1e400, names that are there twice) has its place here. */

export type JsonTree =
  /** Text that stands there as it is. */
  | { readonly kind: 'raw'; readonly text: string }
  | { readonly kind: 'list'; readonly items: readonly JsonTree[] }
  | { readonly kind: 'object'; readonly members: readonly Member[] }
export type Member = readonly [name: string, value: JsonTree]

export const raw = (text: string): JsonTree => ({ kind: 'raw', text })
export const list = (...items: readonly JsonTree[]): JsonTree => ({ kind: 'list', items })
export const object = (members: readonly Member[]): JsonTree => ({ kind: 'object', members })

export function treeOf(value: unknown): JsonTree {
  if (Array.isArray(value)) return list(...value.map(treeOf))
  if (typeof value !== 'object' || value === null) {
    return raw(typeof value === 'bigint' ? String(value) : JSON.stringify(value))
  }
  return object(Object.entries(value).map(([name, member]) => [name, treeOf(member)]))
}

export function textOf(tree: JsonTree): string {
  if (tree.kind === 'raw') return tree.text
  if (tree.kind === 'list') return `[${tree.items.map(textOf).join()}]`
  return `{${tree.members.map(([name, value]) => `${JSON.stringify(name)}:${textOf(value)}`).join()}}`
}

/** How many places there are in it, itself one of them. */
export function countOf(tree: JsonTree): number {
  return 1 + childrenOf(tree).reduce((sum, child) => sum + countOf(child), 0)
}

/** The tree with its n-th place, counted from the root, put through a change. */
export function changeAt(tree: JsonTree, n: number, change: (place: JsonTree) => JsonTree): JsonTree {
  if (n === 0) return change(tree)
  let left = n - 1
  const descend = (child: JsonTree): JsonTree => {
    const places = countOf(child)
    const isHere = left >= 0 && left < places
    const changed = isHere ? changeAt(child, left, change) : child
    left -= places
    return changed
  }
  if (tree.kind === 'list') return list(...tree.items.map(descend))
  if (tree.kind === 'object') return object(tree.members.map(([name, value]) => [name, descend(value)]))
  return tree
}

function childrenOf(tree: JsonTree): readonly JsonTree[] {
  if (tree.kind === 'list') return tree.items
  return tree.kind === 'object' ? tree.members.map(([, value]) => value) : []
}
