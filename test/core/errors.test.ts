import { expect } from 'chai'
import {
  ConfigurationError,
  ConfigurationErrors,
  DvtExitError,
  describeError,
  exitCodeOf,
  UnavailableError,
} from '../../core/errors.js'

describe('errors', () => {
  it('carry a code, a hint and their cause', () => {
    const cause = new Error('below')
    const error = new ConfigurationError('CODE', 'what was wrong', { hint: 'Do this', cause })
    expect(error).to.be.instanceOf(DvtExitError).and.instanceOf(Error)
    expect(error).to.include({ name: 'ConfigurationError', code: 'CODE', hint: 'Do this' })
    expect(error.cause).to.equal(cause)
    expect('cause' in new UnavailableError('CODE', 'away')).to.equal(false)
  })

  it('are described with what to do about them', () => {
    expect(describeError(new DvtExitError('CODE', 'it broke', { hint: 'Mend it' }))).to.equal(
      'it broke. Mend it',
    )
    expect(describeError(new DvtExitError('CODE', 'it broke'))).to.equal('it broke')
    expect(describeError(new Error('plain'))).to.equal('plain')
    expect(describeError('text')).to.equal('text')
    expect(describeError(undefined)).to.equal('undefined')
  })

  it('several at once are one line each', () => {
    const errors = new ConfigurationErrors([
      new ConfigurationError('A', 'first', { hint: 'Do a' }),
      new ConfigurationError('B', 'second'),
    ])
    expect(describeError(errors)).to.equal('first. Do a\nsecond')
    expect(errors.errors.map((error) => error.code)).to.deep.equal(['A', 'B'])
  })

  it('an AggregateError tells each of its errors', () => {
    const error = new AggregateError([new DvtExitError('A', 'one'), new Error('two')], 'both failed')
    expect(describeError(error)).to.equal('both failed: one; two')
  })

  it('end the process with 2 for configuration and with 1 for everything else', () => {
    expect(exitCodeOf(new ConfigurationError('A', ''))).to.equal(2)
    expect(exitCodeOf(new ConfigurationErrors([]))).to.equal(2)
    for (const error of [new DvtExitError('A', ''), new UnavailableError('A', ''), new Error(), 'text']) {
      expect(exitCodeOf(error)).to.equal(1)
    }
  })
})
