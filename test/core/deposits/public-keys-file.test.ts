import { expect } from 'chai'
import { parsePublicKeys } from '../../../core/deposits/public-keys-file.js'
import { describeError } from '../../../core/errors.js'
import { loadNetwork } from '../../../core/network.js'
import { validatorsOf } from '../../operator/rounds/scene.js'

const [first, second] = validatorsOf(loadNetwork('hoodi'), { count: 2 }).map(
  ({ deposit }) => deposit.publicKey,
) as [`0x${string}`, `0x${string}`]

/** What is said of a text that is not taken. */
function refusal(text: string): string {
  try {
    parsePublicKeys(text, 'keys.csv')
  } catch (error) {
    return describeError(error)
  }
  throw new Error('it was taken')
}

describe('a file of public keys', () => {
  for (const [what, text] of [
    ['one a line', `${first}\n${second}\n`],
    [
      'with a line of names, other columns and empty lines',
      `public_key,name\r\n${first},a\r\n\r\n${second},b`,
    ],
    ['without 0x, in upper case, quoted', `"${first.slice(2).toUpperCase()}";1\n "${second}"\n`],
  ] as const) {
    it(`is read ${what}`, () => {
      expect(parsePublicKeys(text, 'keys.csv')).to.deep.equal([first, second])
    })
  }

  for (const [what, text, message] of [
    [
      'a key that is cut off',
      `${first}\n${second.slice(0, -2)}`,
      /keys\.csv, line 2: 0x.* is no BLS public key/,
    ],
    ['what is no point', `0x${'ab'.repeat(48)}`, /line 1: .* is no BLS public key/],
    ['words after the first line', `key\n${first}\nsecond`, /line 3: second is no BLS public key/],
    ['a key twice', `${first}\n${second}\n${first}`, /line 3: the key .* stands in line 1 too/],
    ['nothing', 'public_key\n\n', /keys\.csv holds no public key/],
  ] as const) {
    it(`is refused in one line for ${what}`, () => {
      expect(refusal(text)).to.match(message).and.to.not.include('\n')
    })
  }
})
