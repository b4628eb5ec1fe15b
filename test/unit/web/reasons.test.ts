import { expect, it } from 'vitest'

const web = new URL('../../../src/web/', import.meta.url)
const { sayCopy } = await import(new URL('reasons.js', web).href)
const { createLanguage } = await import(new URL('language.js', web).href)

const store = { getItem: () => null, setItem: () => {} }
const [en, zh] = ['en', 'zh'].map((name) => createLanguage([name], store))
const copy = {
  ...{ name: 'b', has: false, verified_at: null, state: 'nobody', lost: null, reason: 'said' },
  ...{ detail: null, from: null, ahead: null, since: null, next_try_at: null }
}

it.each([
  [{ state: 'nobody' }, 'no server that is connected has it', '已连接的服务器都没有它'],
  [{ state: 'queued', ahead: 0 }, 'it is the next to be fetched', '即将获取'],
  [{ state: 'queued', ahead: 1 }, 'it is queued behind 1 other', '排在其他 1 张之后'],
  [{ state: 'coming', from: '<b>' }, 'it is coming from <b>', '正从 <b> 传来'],
  [
    { state: 'failed', lost: 'damaged', detail: 'ECONNRESET' },
    'its file was damaged · it could not be fetched · ECONNRESET',
    '文件曾损坏 · 未能获取 · ECONNRESET'
  ],
  [
    { state: 'unreachable', has: true },
    'it is not connected · by what it said last it has it',
    '未连接 · 据其上次所述，它有这张图片'
  ],
  [{ state: 'of-a-later-version' }, 'said', 'said'],
  [{ state: 'held', has: true, reason: null }, '', '']
])('%j is said in both languages', (more, inEnglish, inChinese) => {
  expect(sayCopy({ ...copy, ...more }, en)).toBe(inEnglish)
  expect(sayCopy({ ...copy, ...more }, zh)).toBe(inChinese)
})
