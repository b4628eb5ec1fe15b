import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { saidAs } from '../../../src/base/cause.ts'
import { systemClock, systemRandom } from '../../../src/base/clock.ts'
import { ERROR_KINDS, NodeError } from '../../../src/base/errors.ts'
import { type Task, TaskBoard } from '../../../src/base/task-board.ts'
import { describeTask, taskShape } from '../../../src/http/describe-task.ts'

const web = new URL('../../../src/web/', import.meta.url)
const { sayCause, sayCopy, sayRefusal, sayServerError, sayTaskError } = await import(
  new URL('reasons.js', web).href
)
const { causes } = await import(new URL('causes-zh.js', web).href)
const { codes, issues, refusals } = await import(new URL('refusals-zh.js', web).href)
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
  [
    { state: 'behind', behind: 1, comparing: true },
    'it has not heard of this image yet · its index lacks 1 entry · the two indexes are being compared now',
    '尚未得知这张图片 · 其索引还缺 1 个条目 · 正在比对两边的索引'
  ],
  [
    { state: 'behind', behind: null, comparing: false },
    'it has not heard of this image yet · it hears of it when the two indexes are compared next',
    '尚未得知这张图片 · 下次比对索引时会得知'
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

/** All that the node is written in, on one line each. */
function source(): string {
  const files = readdirSync('src', { recursive: true }).map(String)
  return files
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join('src', name), 'utf8'))
    .join('\n')
}

const taken = { path: 'a.jpg' }
const said = (code: string, word?: string, details = {}) => ({
  code,
  ...(word && { cause: { code: word, details } })
})

it.each([
  [said('NAME_TAKEN', 'path_taken', taken), 'a.jpg 已存在，且内容不同。请先删除它，或换一个名称。'],
  [said('PEER_UNREACHABLE', 'dial_unknown', { place: 'x:1' }), '无法连接到 x:1 处的节点。'],
  [said('NAME_TAKEN'), '名称已被占用：Said.'],
  [said('NAME_TAKEN', 'path_taken'), '名称已被占用：Said.'],
  [said('NAME_TAKEN', 'of_a_later_version', taken), '名称已被占用：Said.'],
  [said('BUSY', 'constructor'), '节点正忙。请稍后再试。'],
  [said('OF_A_LATER_VERSION'), 'Said.'],
  [undefined, 'Said.']
])('a refusal %j is said in Chinese by its word, else by its code', (answer, inChinese) => {
  expect(sayRefusal('Said.', answer, zh)).toBe(inChinese)
  expect(sayRefusal('Said.', answer, en)).toBe('Said.')
})

/** They keep a node from starting: there is no page then. */
const BEFORE_THE_PAGE = [
  ...['BAD_CONFIG', 'PORT_TAKEN', 'ADDRESS_UNUSABLE', 'FOLDER_IN_USE', 'FOLDER_UNWRITABLE'],
  ...['FOLDER_FORMAT', 'MARKER_MISSING', 'MARKER_FOREIGN']
]

it('there are Chinese words for every code that a route answers with', () => {
  const all = Object.keys(ERROR_KINDS).filter((code) => !BEFORE_THE_PAGE.includes(code))
  expect(Object.keys(codes).sort()).toEqual(all.sort())
  for (const words of Object.values(codes)) expect(words).toMatch(/[\u4e00-\u9fff]/)
})

it('there are Chinese words for every word of a refusal, filled by what comes with it', () => {
  const code = source()
  const named = [...code.matchAll(/saidAs\(\s*'(\w+)'(?:,\s*(\{[^}]*\}))?/g)]
  expect(named.length).toBeGreaterThan(50)
  for (const [, word = '', details = ''] of named) {
    const words = refusals[word] ?? causes[word]
    expect(words, word).toMatch(/[\u4e00-\u9fff]/)
    for (const [, hole] of String(words).matchAll(/\{(\w+)\}/g)) {
      expect(details, word).toMatch(new RegExp(`\\b${hole}\\b`))
    }
  }
  const refused = /return (?:refuse\(\s*'\w+',\s*)?\[\s*'(\w+)', /g
  const access = readFileSync('src/http/plan-access.ts', 'utf8')
  const faults = [...access.matchAll(refused)].map(([, word]) => `key_${word}`)
  const others = [...code.matchAll(/(?:word|code): '((?:target|content)_\w+)'/g)].map(([, w]) => w)
  const strict = [...code.matchAll(/refuse\(\s*'(content_\w+)'/g)].map(([, w]) => w)
  expect([faults.length, others.length, strict.length].every((count) => count >= 5)).toBe(true)
  const computed = ['stopped_loss', 'stopped_changes', 'invite_expired', 'invite_used']
  const all = [...faults, ...others, ...strict, ...computed, 'invite_revoked', 'key_unknown']
  expect(all.filter((word) => !Object.hasOwn(refusals, word ?? ''))).toEqual([])
  const made = ['expired', 'revoked', 'wrong'].map((verdict) => `address_${verdict}`)
  const folders = [
    ...readFileSync('src/store/found-files.ts', 'utf8').matchAll(/refuse\('(\w+)', /g)
  ].map(([, word]) => `folder_${word}`)
  expect([...made, ...folders].filter((word) => refusals[word] === undefined)).toEqual([])
  const used = new Set([
    ...named.map(([, word]) => word),
    ...all,
    ...made,
    ...folders,
    'invite_over'
  ])
  expect(Object.keys(refusals).filter((word) => !used.has(word))).toEqual([])
})

/** What never answers a request: a start, a command, a test. */
const ANSWERS_NOBODY = [
  ...['src/commands/', 'src/client/', 'src/network/memory-', 'src/store/memory-'],
  ...['src/network/identity.ts', 'src/store/named-target.ts', 'src/store/regular-file.ts'],
  ...['src/index/open-database.ts', 'src/flows/settle.ts'],
  // they hand on what another said
  ...['src/flows/intake-thread.ts', 'src/http/guard.ts']
]

/** From an opening bracket to the one that closes it. */
function bracketed(code: string, at: number): string {
  let depth = 0
  for (let end = at; end < code.length; end++) {
    if (code[end] === '(') depth++
    else if (code[end] === ')' && --depth === 0) return code.slice(at, end + 1)
  }
  return code.slice(at)
}

it('a refusal whose code does not say it in Chinese has a word of its own', () => {
  const files = readdirSync('src', { recursive: true }).map((name) => `src/${name}`)
  const heard = files.filter(
    (name) => name.endsWith('.ts') && !ANSWERS_NOBODY.some((begin) => name.startsWith(begin))
  )
  const mute: string[] = []
  const computed: string[] = []
  let count = 0
  for (const name of heard) {
    const code = readFileSync(name, 'utf8')
    for (const { index, 0: begin } of code.matchAll(/new NodeError\(/g)) {
      const call = bracketed(code, index + begin.length - 1)
      const [, kind] = /^\(\s*'(\w+)'/.exec(call) ?? []
      if (kind === undefined) computed.push(name)
      if (
        kind === undefined ||
        BEFORE_THE_PAGE.includes(kind) ||
        codes[kind]?.includes('{detail}') === false
      )
        continue
      count++
      // its fields say it
      if (kind === 'VALIDATION' && /\{ cause\b[^}]*\}\s*\)$/.test(call)) continue
      const line = code.slice(0, index).split('\n').length
      if (!/saidAs|\bsaid\b|\bword\b|\bdetails\b/.test(call)) mute.push(`${name}:${line} ${call}`)
    }
  }
  expect(count).toBeGreaterThan(80)
  expect(mute).toEqual([])
  // hashes, preconditions and ranges, whose codes say it; a marker, which keeps a node from
  // starting; an absence, which is said already
  expect([...new Set(computed)].sort()).toEqual([
    ...['src/flows/ingest.ts', 'src/flows/restore.ts', 'src/http/accel.ts'],
    ...['src/http/image-response.ts', 'src/store/folder.ts']
  ])
})

it('each fault of a field is said by its word, else by its type', () => {
  const answer = {
    code: 'VALIDATION',
    detail: [
      { loc: ['body', 'reason'], msg: 'Too small', type: 'too_small' },
      { loc: ['body'], msg: 'name one', type: 'custom', cause: saidAs('field_sign_one').cause },
      { loc: ['body', 'x', 0], msg: 'of a later version', type: 'of_a_later_version' }
    ]
  }
  expect(sayRefusal('Said.', answer, zh)).toBe(
    `输入有误：reason 太小或太短；${refusals.field_sign_one}；x.0 of a later version`
  )
  for (const words of Object.values(issues)) expect(words).toMatch(/[\u4e00-\u9fff]/)
})

it('what a task failed at is said as a refusal is', async () => {
  const tasks = new TaskBoard({ clock: systemClock, random: systemRandom })
  const failing = (failure: unknown) => {
    const { task, done } = tasks.start('review', async () => {
      throw failure
    })
    return done.catch(() => task)
  }
  const refused = new NodeError('NOT_FOUND', 'There is none.', saidAs('bytes_absent'))
  const task = (await failing(refused)) as Task
  expect(sayTaskError(describeTask(task), zh)).toBe(refusals.bytes_absent)
  expect(sayTaskError(describeTask(task), en)).toBe('There is none.')
  expect(taskShape.parse(describeTask(task)).errors).toEqual([
    { subject: 'review', detail: 'There is none.', code: 'NOT_FOUND', ...saidAs('bytes_absent') }
  ])
  const other = (await failing(new Error('Said.'))) as Task
  expect(sayTaskError(describeTask(other), zh)).toBe('Said.')
  expect(sayTaskError({ errors: [] }, zh)).toBeUndefined()
})

it('what is asked of a field has a word, where its type does not say it', () => {
  const routes = readdirSync('src/http', { recursive: true }).map((name) => `src/http/${name}`)
  const code = routes
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(name, 'utf8'))
    .join('\n')
  const custom = [...code.matchAll(/\.(?:refine|addIssue|superRefine)\(/g)]
  expect(custom.length).toBeGreaterThan(8)
  for (const { index, 0: begin } of custom) {
    expect(bracketed(code, index + begin.length - 1)).toMatch(/params: saidAs\(/)
  }
})

it('there are Chinese words for every cause that a node names', () => {
  const code = source()
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
