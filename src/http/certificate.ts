// The certificate of HTTPS: read from its files, and read anew when they change, as programs that
// renew certificates leave them.

import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Clock } from '../base/clock.ts'
import { NodeError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'

export interface CertificateFiles {
  /** The certificate with those that lead to a root, PEM. */
  readonly certFile: string
  /** Its private key, PEM, without a password. */
  readonly keyFile: string
}

export interface Certificate {
  readonly cert: Buffer
  readonly key: Buffer
}

export interface CertificateParts {
  readonly clock: Clock
  readonly log: Log
}

/** Certificates are renewed days before they end. */
const LOOK_MS = 30_000
const EXPIRES_SOON_MS = 7 * 86_400_000

/** Throws BAD_CONFIG if the files can't be read or do not hold a pair. */
export function readCertificate({ certFile, keyFile }: CertificateFiles): Certificate {
  const pair = { cert: read(certFile, 'http.tls_cert'), key: read(keyFile, 'http.tls_key') }
  try {
    if (new X509Certificate(pair.cert).checkPrivateKey(createPrivateKey(pair.key))) return pair
  } catch (cause) {
    throw notA(`${certFile} or ${keyFile} is not in PEM form`, cause)
  }
  throw notA(`${keyFile} is not the key of ${certFile}`)
}

function notA(what: string, cause?: unknown): NodeError {
  const sentence = `${what}. Give http.tls_cert and http.tls_key the two files of one certificate.`
  return new NodeError('BAD_CONFIG', sentence, {}, { cause })
}

function read(file: string, key: string): Buffer {
  try {
    return readFileSync(file)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : cause
    throw new NodeError('BAD_CONFIG', `${key} can't be read: ${why}.`, {}, { cause })
  }
}

/**
 * Calls `use` whenever the files hold another certificate than before. Files that hold none, as for
 * a moment while they are replaced, are logged once, and the last one stays in use. Returns what
 * ends it.
 */
export function followCertificate(
  { clock, log }: CertificateParts,
  files: CertificateFiles,
  first: Certificate,
  use: (certificate: Certificate) => void
): () => void {
  let current = first
  let said = ''
  let cancel = () => {}
  const look = () => {
    try {
      const found = readCertificate(files)
      said = ''
      if (!isSame(found, current)) {
        use(found)
        current = found
        log.info({ until: endOf(found).toISOString() }, 'the certificate of HTTPS was read anew')
      }
    } catch (error) {
      const { message } = error as Error
      if (message !== said) log.error({ err: error }, 'the certificate of HTTPS stays the old one')
      said = message
    }
    cancel = clock.after(LOOK_MS, look)
  }
  warnOfEnd(log, clock.now(), first)
  cancel = clock.after(LOOK_MS, look)
  return () => cancel()
}

function warnOfEnd(log: Log, nowMs: number, certificate: Certificate): void {
  const end = endOf(certificate)
  if (end.getTime() - nowMs > EXPIRES_SOON_MS) return
  const until = end.toISOString()
  if (end.getTime() < nowMs) log.error({ until }, 'the certificate of HTTPS has expired: renew it')
  else log.warn({ until }, 'the certificate of HTTPS expires soon: renew it')
}

function endOf({ cert }: Certificate): Date {
  return new Date(new X509Certificate(cert).validTo)
}

function isSame(a: Certificate, b: Certificate): boolean {
  return a.cert.equals(b.cert) && a.key.equals(b.key)
}
