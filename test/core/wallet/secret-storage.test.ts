import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { expect } from 'chai'
import * as Keystore from 'ox/Keystore'
import { recoverMessageAddress } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { ConfigurationError } from '../../../core/errors.js'
import { loadWallet } from '../../../core/wallet/secret-storage.js'
import { failureOf } from '../../doubles/failure.js'

/** The test vectors of the Web3 Secret Storage Definition. */
const KEY = '0x7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d'
const ADDRESS = '0x008AeEda4D805471dF9b2A5B0f38A0C3bCBA786b'
const PASSWORD = 'testpassword'
const PBKDF2 = {
  crypto: {
    cipher: 'aes-128-ctr',
    cipherparams: { iv: '6087dab2f9fdbbfaddc31a909735c1e6' },
    ciphertext: '5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46',
    kdf: 'pbkdf2',
    kdfparams: {
      c: 262144,
      dklen: 32,
      prf: 'hmac-sha256',
      salt: 'ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd',
    },
    mac: '517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2',
  },
  id: '3198bc9c-6672-5ab3-d995-4942343ae5b6',
  version: 3,
}
const SCRYPT = {
  crypto: {
    cipher: 'aes-128-ctr',
    cipherparams: { iv: '83dbcc02d8ccb40e466191a123791e0e' },
    ciphertext: 'd172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c',
    kdf: 'scrypt',
    kdfparams: {
      dklen: 32,
      n: 262144,
      r: 1,
      p: 8,
      salt: 'ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19',
    },
    mac: '2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097',
  },
  id: '3198bc9c-6672-5ab3-d995-4942343ae5b6',
  version: 3,
}

/** A file of ox's, cheap to open. */
function madeByOx(password: string, key: `0x${string}` = KEY) {
  const [derived, options] = Keystore.scrypt({ password, n: 16, r: 8, p: 1 })
  return Keystore.encrypt(key, derived, options)
}

describe('a wallet in a Web3 Secret Storage file', () => {
  let folder = ''
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'wallet-'))
  })
  after(() => rm(folder, { recursive: true }))

  const names = { file: 'WALLET_FILE', passwordFile: 'WALLET_PASSWORD_FILE' }
  const open = async (content: unknown, password = PASSWORD) => {
    const [file, passwordFile] = [join(folder, 'wallet.json'), join(folder, 'password.txt')]
    await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content))
    await writeFile(passwordFile, password)
    return loadWallet({ file, passwordFile, names })
  }

  for (const [kdf, vector] of Object.entries({ pbkdf2: PBKDF2, scrypt: SCRYPT })) {
    it(`opens the definition's test vector for ${kdf}, and signs with its key`, async () => {
      const account = await open(vector)
      expect(account.address).to.equal(ADDRESS)
      const signature = await account.signMessage({ message: 'a' })
      expect(await recoverMessageAddress({ message: 'a', signature })).to.equal(ADDRESS)
    })
  }

  it('shows no key however it is printed', async () => {
    const account = await open(madeByOx(PASSWORD))
    expect(inspect(account, { depth: 9, showHidden: true })).not.to.contain(KEY.slice(2))
    expect(JSON.stringify(account)).not.to.contain(KEY.slice(2))
  })

  it('may be of any scrypt parameters, as geth’s are (r = 8, p = 1)', async () => {
    for (const [n, r, p] of [
      [16, 8, 1],
      [32, 1, 8],
      [4, 2, 3],
      // Beyond what RFC 7914 allows for r = 1.
      [2 ** 16, 1, 1],
    ] as const) {
      const [derived, options] = Keystore.scrypt({ password: PASSWORD, n, r, p })
      const account = await open(Keystore.encrypt(KEY, derived, options))
      expect(account.address).to.equal(ADDRESS)
    }
  })

  it('may name its address with 0x, without, of either case, or not at all', async () => {
    const storage = madeByOx(PASSWORD)
    const bare = ADDRESS.slice(2)
    for (const address of [ADDRESS, ADDRESS.toLowerCase(), bare, bare.toLowerCase(), bare.toUpperCase()]) {
      expect((await open({ ...storage, address })).address).to.equal(ADDRESS)
    }
    expect((await open(storage)).address).to.equal(ADDRESS)
  })

  it('may have its crypto under the name that old tools wrote', async () => {
    const { crypto, ...rest } = madeByOx(PASSWORD)
    expect((await open({ ...rest, Crypto: crypto })).address).to.equal(ADDRESS)
  })

  it('takes the password as it is but for one line break at its end', async () => {
    const password = '  pässwörd \t'
    const storage = madeByOx(password)
    for (const text of [password, `${password}\n`, `${password}\r\n`]) {
      expect((await open(storage, text)).address).to.equal(ADDRESS)
    }
    for (const text of [`${password}\n\n`, password.trim(), `\n${password}`, password.normalize('NFD')]) {
      expect((await failureOf(open(storage, text))).code).to.equal('WRONG_WALLET_PASSWORD')
    }
    expect((await open(madeByOx('line\n'), 'line\n\n')).address).to.equal(ADDRESS)
  })

  it('with a wrong password names both files and shows no password', async () => {
    const error = await failureOf(open(madeByOx(PASSWORD), 'hunter2-wrong\n'))
    expect(error).to.be.instanceOf(ConfigurationError)
    expect(error.code).to.equal('WRONG_WALLET_PASSWORD')
    expect(error.message).to.contain(`WALLET_PASSWORD_FILE ${join(folder, 'password.txt')}`)
    expect(error.message).to.contain(`WALLET_FILE ${join(folder, 'wallet.json')}`)
    expect(inspect(error)).not.to.contain('hunter2')
  })

  it('that cannot be read is named, and so is its password file', async () => {
    const present = join(folder, 'present.json')
    const absent = join(folder, 'absent')
    await writeFile(present, JSON.stringify(madeByOx(PASSWORD)))
    const first = await failureOf(loadWallet({ file: absent, passwordFile: present, names }))
    expect([first.code, first.message]).to.satisfy(
      ([code, message]: string[]) =>
        code === 'WALLET_UNREADABLE' && message?.startsWith(`cannot read WALLET_FILE ${absent}`),
    )
    expect(first.hint).to.contain('WALLET_FILE')
    const second = await failureOf(loadWallet({ file: present, passwordFile: absent, names }))
    expect(second.code).to.equal('WALLET_UNREADABLE')
    expect(second.message).to.contain(`WALLET_PASSWORD_FILE ${absent}`)
    expect(second).to.be.instanceOf(ConfigurationError)
  })

  it('whose address is another one’s is refused', async () => {
    const address = privateKeyToAccount(`0x${'11'.repeat(32)}`).address
    const error = await failureOf(open({ ...madeByOx(PASSWORD), address }))
    expect(error.code).to.equal('INVALID_WALLET')
    expect(error.message).to.match(new RegExp(`${address}.*${ADDRESS}`, 'i'))
  })

  describe('is refused', () => {
    const storage = madeByOx(PASSWORD)
    const { crypto } = storage
    const withCrypto = (change: object) => ({ ...storage, crypto: { ...crypto, ...change } })
    const withScrypt = (change: object) => withCrypto({ kdfparams: { ...crypto.kdfparams, ...change } })
    const wrong: Record<string, [unknown, string]> = {
      'as a bare private key': [KEY, 'not JSON'],
      'as a list': [[], 'expected object'],
      'in version 1': [{ ...storage, version: 1 }, 'version'],
      'without crypto': [{ version: 3 }, 'crypto'],
      'with another cipher': [withCrypto({ cipher: 'aes-128-cbc' }), 'crypto.cipher'],
      'with an unknown kdf': [withCrypto({ kdf: 'argon2' }), 'crypto.kdf'],
      'with a short mac': [withCrypto({ mac: 'ab' }), 'crypto.mac'],
      'with a short iv': [withCrypto({ cipherparams: { iv: 'ab' } }), 'crypto.cipherparams.iv'],
      'with a key of 31 bytes': [withCrypto({ ciphertext: '11'.repeat(31) }), 'crypto.ciphertext'],
      'with a derived key of 16 bytes': [withScrypt({ dklen: 16 }), 'dklen'],
      'with scrypt that takes all memory': [withScrypt({ n: 2 ** 40 }), 'beyond sense'],
      'with scrypt that there is not': [withScrypt({ n: 15 }), 'n = 15'],
      'with pbkdf2 that takes hours': [
        { ...PBKDF2, crypto: { ...PBKDF2.crypto, kdfparams: { ...PBKDF2.crypto.kdfparams, c: 2 ** 40 } } },
        'beyond sense',
      ],
      'with another hash function': [
        {
          ...PBKDF2,
          crypto: { ...PBKDF2.crypto, kdfparams: { ...PBKDF2.crypto.kdfparams, prf: 'hmac-sha512' } },
        },
        'prf',
      ],
      'with an address of 19 bytes': [{ ...storage, address: '11'.repeat(19) }, 'address'],
      'with 0 as its key': [madeByOx(PASSWORD, `0x${'00'.repeat(32)}`), 'not a private key'],
    }
    for (const [what, [content, said]] of Object.entries(wrong)) {
      it(what, async () => {
        const error = await failureOf(open(content))
        expect(error).to.be.instanceOf(ConfigurationError)
        expect(error.code).to.equal('INVALID_WALLET')
        expect(error.message).to.contain(`WALLET_FILE ${join(folder, 'wallet.json')}`)
        expect(error.message).to.contain(said)
        expect(inspect(error)).not.to.contain(KEY.slice(2))
      })
    }
  })
})
