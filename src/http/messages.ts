// The language of the sentences in answers: English, or Chinese for clients that prefer it.

import type { IncomingMessage } from 'node:http'

/** For the `message` of a POST or DELETE: `zh` if Accept-Language prefers Chinese, else `en`. */
export function messageFor(request: Pick<IncomingMessage, 'headers'>, en: string, zh: string) {
  return prefersChinese(request.headers['accept-language']) ? zh : en
}

/**
 * Whether the first of the languages with the highest weight is Chinese (zh, zh-CN, zh-Hant-TW …).
 */
export function prefersChinese(acceptLanguage: string | undefined): boolean {
  let best = { language: '', weight: 0 }
  for (const item of acceptLanguage?.split(',') ?? []) {
    const [language = '', weightText] = item.split(';')
    const weight = weightOf(weightText)
    if (language.trim() !== '' && weight > best.weight) best = { language, weight }
  }
  return /^\s*zh(?:-|\s*$)/i.test(best.language)
}

function weightOf(text: string | undefined): number {
  if (text === undefined) return 1
  const [, digits] = /^\s*q=([01](?:\.\d{0,3})?)\s*$/i.exec(text) ?? []
  return digits === undefined ? 0 : Number(digits)
}
