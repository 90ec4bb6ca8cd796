export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

/** Waits until a condition holds. @throws Error after the time, naming what was waited for */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  milliseconds = 30_000,
): Promise<void> {
  const end = Date.now() + milliseconds
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`waited in vain until ${what}`)
    await pause(10)
  }
}

/** The first result that is not undefined. @throws Error after the time, naming what was waited for */
export async function awaited<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  let result: T | undefined
  await until(what, async () => {
    result = await ask()
    return result !== undefined
  })
  if (result === undefined) throw new Error(`there is no answer: ${what}`)
  return result
}
