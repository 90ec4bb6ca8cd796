/** The options with which sidecars and operators reach their relayer. */
import { flag, type OptionSet, required, text, url, type Values } from '../options.js'
import { RelayerClient, readTokenFile } from './relayer.js'
import { loadRelayerTls } from './relayer-tls.js'

/** A number of seconds, fractions allowed, as milliseconds. */
export const seconds = (value: string): number => {
  const number = Number(value)
  if (/^\d+(\.\d+)?$/.test(value) && number > 0 && number <= 86_400) return number * 1000
  throw new Error(`expected seconds, more than 0 and at most 86400, got "${value}"`)
}

export const relayerClientOptions = {
  relayerEndpoint: {
    flag: 'relayer-endpoint',
    env: ['RELAYER_ENDPOINT'],
    describe: 'the relayer, for example https://relayer.example.org; credentials in it are sent as Basic',
    placeholder: 'URL',
    parse: url,
  },
  relayerTimeout: {
    flag: 'relayer-timeout',
    env: ['RELAYER_TIMEOUT'],
    describe: 'how long one request to the relayer may take, in seconds',
    default: '60',
    placeholder: 'SECONDS',
    parse: seconds,
  },
  relayerTokenFile: {
    flag: 'relayer-token-file',
    env: ['RELAYER_TOKEN_FILE'],
    describe: 'file with the token that the relayer issued',
    placeholder: 'FILE',
    parse: text,
  },
  relayerCaFile: {
    flag: 'relayer-ca-file',
    env: ['RELAYER_CA_FILE'],
    describe:
      'certificate of the authority that signed the relayer’s, PEM, where it is a private one: nobody else is trusted then',
    placeholder: 'FILE',
    parse: text,
  },
  relayerClientCertFile: {
    flag: 'relayer-client-cert-file',
    env: ['RELAYER_CLIENT_CERT_FILE'],
    describe: 'certificate that is shown to a relayer that asks for one, PEM',
    placeholder: 'FILE',
    parse: text,
  },
  relayerClientKeyFile: {
    flag: 'relayer-client-key-file',
    env: ['RELAYER_CLIENT_KEY_FILE'],
    describe: 'the client certificate’s private key, PEM',
    placeholder: 'FILE',
    parse: text,
  },
  allowPlainHttp: {
    flag: 'allow-plain-http',
    env: ['ALLOW_PLAIN_HTTP'],
    describe: 'let shares and tokens go over plain HTTP to another machine, readable on the way',
    default: 'false',
    switch: true,
    parse: flag,
  },
} as const satisfies OptionSet

/**
 * The client that the options describe.
 * @throws ConfigurationError MISSING_OPTION, INVALID_TOKEN_FILE, PLAIN_HTTP_RELAYER, TWO_RELAYER_CREDENTIALS,
 *   CERTIFICATES_WITHOUT_HTTPS, INCOMPLETE_TLS, TLS_FILE_UNREADABLE, INVALID_TLS, CERTIFICATE_EXPIRED
 */
export async function createRelayerClient(
  values: Values<typeof relayerClientOptions>,
): Promise<RelayerClient> {
  const endpoint = required(values.relayerEndpoint, relayerClientOptions.relayerEndpoint)
  const tls = loadRelayerTls(values)
  return new RelayerClient(endpoint, {
    timeout: values.relayerTimeout,
    allowPlainHttp: values.allowPlainHttp,
    ...(values.relayerTokenFile === undefined ? {} : { token: await readTokenFile(values.relayerTokenFile) }),
    ...(tls === undefined ? {} : { tls }),
  })
}
