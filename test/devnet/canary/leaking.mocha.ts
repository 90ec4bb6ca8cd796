/** A file of tests that leaks, for the test of the hook: it is run by that alone. */
import { useCanary } from './shared.js'

it('leaks', () => {
  useCanary().secrets.addText('the secret of a test', 'tell nobody of this')
  useCanary().noteText('the log', 'somebody said: tell nobody of this')
})
