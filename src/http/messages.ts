// The language of the sentences in answers: English, or Chinese for clients that prefer it.

import type { IncomingMessage } from 'node:http'
import { acceptedIn } from './accepted.ts'

/** For the `message` of a POST or DELETE: `zh` if Accept-Language prefers Chinese, else `en`. */
export function messageFor(request: Pick<IncomingMessage, 'headers'>, en: string, zh: string) {
  return prefersChinese(request.headers['accept-language']) ? zh : en
}

/**
 * Whether the first of the languages with the highest weight is Chinese (zh, zh-CN, zh-Hant-TW …).
 */
export function prefersChinese(acceptLanguage: string | undefined): boolean {
  let best = { value: '', weight: 0 }
  for (const one of acceptedIn(acceptLanguage)) if (one.weight > best.weight) best = one
  return /^zh(?:-|$)/.test(best.value)
}
