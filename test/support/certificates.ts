// Certificates for tests, made when they run and gone with their folder.

import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

export type Certificate = { readonly certFile: string; readonly keyFile: string }

/**
 * A self-signed certificate for 127.0.0.1 and localhost, which is also the CA that trusts it.
 * @throws Error that says what to install when openssl is missing
 */
export function makeCertificate(folder: string, name: string): Certificate {
  const certFile = join(folder, `${name}.crt`)
  const keyFile = join(folder, `${name}.key`)
  const words = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    '2',
  ]
  const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost']
  try {
    execFileSync('openssl', [...words, ...subject, '-keyout', keyFile, '-out', certFile], { stdio: 'pipe' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    throw new Error('This test makes its certificates with openssl; apt-get install openssl', {
      cause: error,
    })
  }
  return { certFile, keyFile }
}
