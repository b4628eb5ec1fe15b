import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const web = new URL('../../../src/web/', import.meta.url)
const { sayCause, sayCopy, sayServerError } = await import(new URL('reasons.js', web).href)
const { causes } = await import(new URL('causes-zh.js', web).href)
const { createLanguage } = await import(new URL('language.js', web).href)

const store = { getItem: () => null, setItem: () => {} }
const [en, zh] = ['en', 'zh'].map((name) => createLanguage([name], store))
const copy = {
  ...{ name: 'b', has: false, verified_at: null, state: 'nobody', lost: null, reason: 'said' },
  ...{ detail: null, cause: null, from: null, ahead: null, since: null, next_try_at: null }
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
  [
    {
      state: 'unreachable',
      cause: { code: 'dial_refused', text: 'Nothing listens at x.', details: { place: 'x' } },
      detail: 'Nothing listens at x.'
    },
    'it is not connected · Nothing listens at x.',
    '未连接 · x 处没有监听（连接被拒绝）。请启动那里的节点，或检查端口。'
  ],
  [{ state: 'of-a-later-version' }, 'said', 'said'],
  [{ state: 'held', has: true, reason: null }, '', '']
])('%j is said in both languages', (more, inEnglish, inChinese) => {
  expect(sayCopy({ ...copy, ...more }, en)).toBe(inEnglish)
  expect(sayCopy({ ...copy, ...more }, zh)).toBe(inChinese)
})

it('a cause is the sentence of the node in English, and one by its code in Chinese', () => {
  const details = { server: '<b>', since: '2026-01-02T03:04:05.000Z' }
  const full = { code: 'server_disk_full', text: 'The disk of <b> is full.', details }
  expect(sayCause(full, en)).toBe(full.text)
  expect(sayCause(full, zh)).toMatch(/^<b> 的磁盘自 2026.* 起已满：/)
  const counted = { code: 'images_missing', text: '1,200 images', details: { count: 1200 } }
  expect(sayCause(counted, zh)).toBe('1,200 张图片缺失：blobs/ 中的文件不见了。')
})

it('what a later version says, or says in another way, stays as it is', () => {
  expect(sayCause({ code: 'of_a_later_version', text: 'Said.' }, zh)).toBe('Said.')
  expect(sayCause({ code: 'images_missing', text: 'Said.', details: {} }, zh)).toBe('Said.')
  expect(sayCause({ code: 'constructor', text: 'Said.' }, zh)).toBe('Said.')
  expect(sayServerError({ last_error: 'Said.' }, zh)).toBe('Said.')
  expect(sayServerError({ last_error: null, last_cause: null }, zh)).toBe('')
})

it('there are Chinese words for every cause that a node names', () => {
  const files = readdirSync('src', { recursive: true }).map(String)
  const code = files
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join('src', name), 'utf8'))
    .join('\n')
  const named = [...code.matchAll(/causeOf\(\s*'(\w+)'/g)].map(([, name]) => name ?? '')
  expect(named.length).toBeGreaterThan(10)
  const [, union = ''] = /^type Cause =\n((?: {2}\|.*\n)+)/m.exec(code) ?? []
  const dials = [...union.matchAll(/'([\w-]+)'/g)].map(([, name = '']) => name.replaceAll('-', '_'))
  expect(dials).toContain('timed_out')
  const computed = [
    ...['brake_loss', 'brake_changes', 'index_fault', 'index_damage', 'index_no_room'],
    ...['clock_ahead', 'clock_behind', 'images_nowhere', 'images_unreachable', 'scanner_silent']
  ]
  const all = [...named, ...dials.map((name) => `dial_${name}`), ...computed]
  expect(all.filter((name) => !Object.hasOwn(causes, name))).toEqual([])
  for (const words of Object.values(causes)) expect(words).toMatch(/[\u4e00-\u9fff]/)
})
