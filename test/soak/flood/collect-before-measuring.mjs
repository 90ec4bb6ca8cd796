// Loaded into a relayer under test: what GET /metrics says of its memory is what is in use, without garbage.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc')
const { memoryUsage } = process
process.memoryUsage = Object.assign(
  () => {
    collectGarbage()
    return memoryUsage()
  },
  { rss: memoryUsage.rss },
)
