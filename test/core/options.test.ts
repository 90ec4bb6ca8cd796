import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { ConfigurationError, ConfigurationErrors, exitCodeOf } from '../../core/errors.js'
import {
  flag,
  integer,
  list,
  type OptionSet,
  oneOf,
  readOptions,
  required,
  text,
  url,
  urls,
} from '../../core/options.js'

const options = {
  network: { flag: 'network', env: ['NETWORK'], describe: 'the network', parse: text },
  port: {
    flag: 'relayer-port',
    env: ['RELAYER_PORT'],
    describe: 'where it listens',
    default: '8000',
    parse: integer(1, 65_535),
  },
  endpoints: {
    flag: 'execution-endpoints',
    env: ['EXECUTION_ENDPOINTS', 'EXECUTION_ENDPOINT'],
    describe: 'URLs',
    parse: urls,
  },
} as const satisfies OptionSet

function failureOf(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}

describe('options', () => {
  let folder: string
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'dvt-exit-options-'))
  })
  after(() => rmSync(folder, { recursive: true }))
  const fileWith = (content: string) => {
    const file = join(folder, 'config.env')
    writeFileSync(file, content)
    return file
  }

  it('come from the flag, else the environment, else the config file, else the default', () => {
    const configFile = fileWith('RELAYER_PORT=3\nNETWORK="gnosis" # with a remark\n')
    const env = { RELAYER_PORT: '2' }
    expect(readOptions(options, { flags: { 'relayer-port': '1' }, env, configFile }).port).to.equal(1)
    expect(readOptions(options, { flags: {}, env, configFile }).port).to.equal(2)
    expect(readOptions(options, { flags: {}, env: {}, configFile }).port).to.equal(3)
    expect(readOptions(options, { flags: {}, env: {}, configFile }).network).to.equal('gnosis')
    expect(readOptions(options, { flags: {}, env: {} }).port).to.equal(8000)
    expect(readOptions(options, { flags: {}, env: {} }).network).to.equal(undefined)
  })

  it('read every name of the environment, the first one first, and take an empty one for absent', () => {
    const read = (env: Record<string, string>) => readOptions(options, { flags: {}, env }).endpoints
    expect(read({ EXECUTION_ENDPOINT: 'http://a' })).to.deep.equal(['http://a'])
    expect(read({ EXECUTION_ENDPOINT: 'http://a', EXECUTION_ENDPOINTS: 'http://b' })).to.deep.equal([
      'http://b',
    ])
    expect(read({ EXECUTION_ENDPOINT: 'http://a', EXECUTION_ENDPOINTS: '' })).to.deep.equal(['http://a'])
  })

  it('that are wrong are told all at once, each with where it came from', () => {
    const error = failureOf(() =>
      readOptions(options, {
        flags: { 'relayer-port': '70000' },
        env: { EXECUTION_ENDPOINT: 'ftp://x' },
      }),
    )
    expect(error).to.be.instanceOf(ConfigurationErrors)
    expect((error as ConfigurationErrors).message.split('\n')).to.deep.equal([
      '--relayer-port: expected an integer from 1 to 65535, got "70000"',
      'EXECUTION_ENDPOINT: expected an http:// or https:// URL',
    ])
    expect(exitCodeOf(error)).to.equal(2)
    const single = failureOf(() => readOptions(options, { flags: {}, env: { RELAYER_PORT: 'x' } }))
    expect(single).to.be.instanceOf(ConfigurationError).with.property('code', 'INVALID_OPTION')
    expect((single as Error).message).to.match(/^RELAYER_PORT: /)
  })

  it('never repeat a URL, which may carry a key', () => {
    const error = failureOf(() =>
      readOptions(options, { flags: {}, env: { EXECUTION_ENDPOINT: 'htps://node/secret-key' } }),
    )
    expect(String(error)).not.to.include('secret-key')
  })

  it('say when the config file cannot be read', () => {
    const error = failureOf(() =>
      readOptions(options, { flags: {}, env: {}, configFile: join(folder, 'absent') }),
    )
    expect(error).to.be.instanceOf(ConfigurationError).with.property('code', 'INVALID_CONFIG_FILE')
    expect((error as Error).message)
      .to.include('absent')
      .and.include('ENOENT')
  })

  it('that must be there are asked for by flag and environment variable', () => {
    expect(required('hoodi', options.network)).to.equal('hoodi')
    const error = failureOf(() => required(undefined, options.network))
    expect(error).to.be.instanceOf(ConfigurationError).with.property('code', 'MISSING_OPTION')
    expect((error as ConfigurationError).hint).to.include('NETWORK')
  })
})

describe('values of options', () => {
  it('integers lie within their bounds and are written in digits', () => {
    expect(['1', '10', '007'].map(integer(1, 10))).to.deep.equal([1, 10, 7])
    for (const wrong of ['0', '11', '-1', '1.5', '1e1', '0x1', '', ' 1', 'NaN', '９']) {
      expect(() => integer(1, 10)(wrong), wrong).to.throw('expected an integer from 1 to 10')
    }
  })

  it('switches say yes or no', () => {
    expect(['true', 'TRUE', '1', 'yes'].map(flag)).to.deep.equal([true, true, true, true])
    expect(['false', '0', 'No'].map(flag)).to.deep.equal([false, false, false])
    for (const wrong of ['', 'on', '2', 'truee']) expect(() => flag(wrong)).to.throw('true or false')
  })

  it('lists drop what is empty', () => {
    expect(list(' a, ,b ,')).to.deep.equal(['a', 'b'])
    expect(list('')).to.deep.equal([])
  })

  it('choices are taken as they are written', () => {
    expect(oneOf('obol', 'ssv')('ssv')).to.equal('ssv')
    expect(() => oneOf('obol', 'ssv')('SSV')).to.throw('expected one of obol, ssv, got "SSV"')
  })

  it('URLs are http or https, without a slash at the end', () => {
    expect(url('https://user:word@host:1/path//')).to.equal('https://user:word@host:1/path')
    expect(urls('http://a, http://b/,http://a/')).to.deep.equal(['http://a', 'http://b'])
    for (const wrong of ['', 'host', 'file:///etc/passwd', 'http://', 'javascript:1']) {
      expect(() => url(wrong), wrong).to.throw('URL')
    }
    expect(() => urls(' , ')).to.throw('at least one URL')
  })
})
