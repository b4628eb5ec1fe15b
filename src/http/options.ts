// What can be set about the way in by HTTP: `http`.

import { isIP } from 'node:net'
import { z } from 'zod'
import {
  booleanField,
  choiceField,
  durationField,
  hostField,
  integerField,
  listField,
  pathField,
  portField,
  sizeField,
  textField
} from '../base/fields.ts'
import type { CertificateFiles } from './certificate.ts'
import { type HotlinkOptions, readHostPattern } from './hotlink.ts'
import type { InWorkOptions } from './in-work.ts'
import type { RateLimitOptions } from './rate-limits.ts'

export const httpSection = z.strictObject({
  host: hostField().prefault('0.0.0.0').describe('Address to listen on'),
  port: portField().prefault(8000).describe('Port to listen on; 0 takes any free one'),
  read: choiceField(['public', 'key'])
    .prefault('public')
    .describe('Whether images can be read by everybody or with a key only'),
  drain_timeout: durationField(0)
    .prefault('10s')
    .describe('How long open requests may go on when the node stops'),
  uploads_max: integerField(1, 10_000)
    .prefault(64)
    .describe('Uploads at one time; more are asked to come again'),
  trusted_proxies: listField('addresses or networks such as 10.0.0.0/8', readNetwork)
    .prefault([])
    .describe('Proxies whose X-Forwarded headers are believed'),
  tls_cert: pathField()
    .optional()
    .describe(
      'File with the certificate for HTTPS (PEM, with its chain); read anew when it changes'
    )
    .meta({ unset: 'none: HTTP only', example: '/etc/tumesh/own.pem' }),
  tls_key: pathField()
    .optional()
    .describe('File with its private key (PEM)')
    .meta({ unset: 'none: HTTP only', example: '/etc/tumesh/own.key' }),
  tls_port: portField().prefault(8443).describe('Port for HTTPS, if there is a certificate'),
  cors_origins: listField('origins such as https://example.org, or *', readOrigin)
    .prefault([])
    .describe('Sites whose pages may read images and, with a key, the API by script'),
  server_timing: booleanField()
    .prefault(false)
    .describe('Whether answers say what took their time, in the header Server-Timing'),
  hot_size: sizeField(0)
    .prefault('32MiB')
    .describe(
      'Memory for small images that are read again and again, at most a sixteenth of what the process may have; 0 keeps none'
    ),
  signed_urls: booleanField()
    .prefault(false)
    .describe('Whether addresses that were signed open images that need a key otherwise'),
  hotlink_allowed: listField('hosts such as example.org or *.example.org', readHostPattern)
    .prefault([])
    .describe('Sites whose pages may show images from here; none listed: all may'),
  hotlink_empty: choiceField(['allow', 'refuse'])
    .prefault('allow')
    .describe('Readers that do not say which page shows the image, where sites are listed'),
  hotlink_placeholder: textField('the path of an image', /^[^\0]{1,1024}$/)
    .optional()
    .describe('Path of the image that pages of other sites get instead')
    .meta({ unset: 'none: they get 403', example: 'notice/hotlink.png' }),
  client_requests_max: integerField(0, 100_000)
    .prefault(256)
    .describe('Requests of one address without a key that are answered at one time; 0: no limit'),
  key_requests_max: integerField(0, 100_000)
    .prefault(1024)
    .describe('Requests with one key that are answered at one time; 0: no limit'),
  rate_window: durationField(1000, 86_400_000)
    .prefault('1m')
    .describe('Time for which the limits below count; they are refilled evenly'),
  rate_requests: integerField(0, 1_000_000_000)
    .prefault(0)
    .describe('Requests of one address without a key in that time; 0 is no limit'),
  rate_bytes: sizeField(0).prefault(0).describe('Bytes of its requests and answers; 0 is no limit'),
  rate_key_requests: integerField(0, 1_000_000_000)
    .prefault(0)
    .describe('Requests with one key in that time; 0 is no limit'),
  rate_key_bytes: sizeField(0)
    .prefault(0)
    .describe('Bytes of its requests and answers; 0 is no limit'),
  rate_loopback: booleanField()
    .prefault(false)
    .describe('Whether programs of this machine are limited too, also in requests at one time'),
  accel_location: textField('a location of nginx such as /tumesh-blobs/', /^\/[\w./-]{1,200}$/)
    .optional()
    .describe(
      'Where nginx, as one of trusted_proxies, has the folder blobs/: it then sends images itself'
    )
    .meta({ unset: 'none: the node sends them', example: '/tumesh-blobs/' }),
  path_max_age: durationField(0)
    .prefault('0s')
    .describe('How long caches may show an image by its path before they ask again')
})

export interface HttpOptions {
  readonly host: string
  readonly port: number
  readonly read: 'public' | 'key'
  readonly drainTimeoutMs: number
  readonly uploadsMax: number
  /** Addresses, or networks with a prefix length. */
  readonly trustedProxies: readonly string[]
  /** As browsers send them; `*` for all. */
  readonly corsOrigins: readonly string[]
  readonly pathMaxAgeMs: number
  readonly serverTiming: boolean
  readonly signedUrls: boolean
  readonly hotlink: HotlinkOptions
  readonly rates: RateLimitOptions
  readonly inWork: InWorkOptions
  /** Of images that are kept in memory. */
  readonly hotBytesMax: number
  /** Undefined: all bytes are sent from here. */
  readonly accelLocation: string | undefined
  /** Undefined: no HTTPS. */
  readonly tls: (CertificateFiles & { readonly port: number }) | undefined
}

export function httpOptions(section: z.output<typeof httpSection>): HttpOptions {
  return {
    host: section.host,
    port: section.port,
    read: section.read,
    drainTimeoutMs: section.drain_timeout,
    uploadsMax: section.uploads_max,
    trustedProxies: section.trusted_proxies,
    corsOrigins: section.cors_origins,
    pathMaxAgeMs: section.path_max_age,
    serverTiming: section.server_timing,
    signedUrls: section.signed_urls,
    inWork: { addressMax: section.client_requests_max, keyMax: section.key_requests_max },
    rates: {
      windowMs: section.rate_window,
      address: { requests: section.rate_requests, bytes: section.rate_bytes },
      key: { requests: section.rate_key_requests, bytes: section.rate_key_bytes },
      loopback: section.rate_loopback
    },
    hotlink: {
      allowed: section.hotlink_allowed,
      withoutReferer: section.hotlink_empty,
      placeholder: section.hotlink_placeholder
    },
    hotBytesMax: section.hot_size,
    accelLocation: section.accel_location,
    tls: tlsOf(section)
  }
}

/** That one of the two files is missing is seen when they are read. */
function tlsOf({ tls_cert, tls_key, tls_port }: z.output<typeof httpSection>): HttpOptions['tls'] {
  if (tls_cert === undefined && tls_key === undefined) return undefined
  return { certFile: tls_cert ?? '', keyFile: tls_key ?? '', port: tls_port }
}

function readNetwork(text: string): string | undefined {
  const [address = '', prefix, ...more] = text.split('/')
  const bits = isIP(address) === 4 ? 32 : 128
  if (isIP(address) === 0 || more.length > 0) return undefined
  if (prefix !== undefined && !(/^\d+$/.test(prefix) && Number(prefix) <= bits)) return undefined
  return text
}

/** In the form in which browsers send it. */
function readOrigin(text: string): string | undefined {
  if (text === '*') return text
  if (!/^https?:\/\/[^/?#]+\/?$/i.test(text) || !URL.canParse(text)) return undefined
  return new URL(text).origin
}
