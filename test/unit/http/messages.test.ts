import { expect, test } from 'vitest'
import { messageFor } from '../../../src/http/messages.ts'

test.each<[string | undefined, 'en' | 'zh']>([
  [undefined, 'en'],
  ['', 'en'],
  ['*', 'en'],
  ['zh', 'zh'],
  ['ZH-cn', 'zh'],
  ['zh-Hant-TW,en;q=0.8', 'zh'],
  ['zh-CN;q=0.9, en;q=0.8', 'zh'],
  ['en, zh', 'en'],
  ['en;q=0.5, zh', 'zh'],
  ['en-US,en;q=0.9,zh-CN;q=0.8', 'en'],
  ['fr, zh;q=0.9', 'en'],
  ['zh;q=0', 'en'],
  ['zha', 'en'],
  ['zh;q=nonsense, en', 'en'],
  [',;,zh ; q=1.000 ,', 'zh']
])('Accept-Language %j', (header, language) => {
  const headers = header === undefined ? {} : { 'accept-language': header }
  expect(messageFor({ headers }, 'en', 'zh')).toBe(language)
})
