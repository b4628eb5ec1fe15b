// @ts-check
// The last hours as charts: rates, what is to be fetched, latency, errors. The samples are the
// node's own, so that the past is there when the page is opened.

import { ApiError } from './api.js'
import { make, need, setText } from './dom.js'
import { formatClock, formatLatency, formatSize } from './format.js'

/** @import { Language } from './language.js' */

/** So much of the time that is shown passes between two looks; a sample comes each 5 seconds. */
const REFRESH_SHARE = 1 / 360
const REFRESH_MS_MIN = 5000
const HEIGHT = 132
const ROWS_MAX = 360
const MINUTE = 60
/** The end of an axis on which nothing is. */
const QUIET_MAX = { bytes: 1000, ms: 10, count: 4 }
const SHORT_MS = 15 * MINUTE * 1000
/** Steps of an axis that counts things. */
const WHOLE = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6]

/** @type {{ title: import('./language.js').Key, unit: 'bytes' | 'count' | 'ms',
 *   series: { column: string, label: import('./language.js').Key, color: string,
 *   times?: number }[] }[]} */
const CHARTS = [
  {
    title: 'chart.rate',
    unit: 'bytes',
    series: [
      { column: 'received_rate', label: 'chart.received', color: '--chart-1' },
      { column: 'sent_rate', label: 'chart.sent', color: '--chart-2' }
    ]
  },
  {
    title: 'chart.queue',
    unit: 'count',
    series: [{ column: 'queue_files', label: 'chart.files', color: '--chart-1' }]
  },
  {
    title: 'chart.latency',
    unit: 'ms',
    series: [
      { column: 'latency_ms', label: 'chart.ping', color: '--chart-1' },
      { column: 'request_ms', label: 'chart.requests', color: '--chart-2' }
    ]
  },
  {
    title: 'chart.errors',
    unit: 'count',
    series: [
      { column: 'failed_rate', label: 'chart.failed', color: '--bad', times: MINUTE },
      { column: 'failed_files', label: 'chart.lost', color: '--chart-2' }
    ]
  }
]

/**
 * @param {{ api: import('./api.js').Api, language: Language }} parts
 */
export function createCharts({ api, language }) {
  const { say } = language
  /** @type {any} */
  let UPlot
  /** @type {{ plot: any, figure: HTMLElement, texts: HTMLElement[] }[]} */
  let shown = []
  /** @type {Record<string, (number | null)[]> | undefined} */
  let columns
  let minutes = 60
  let timer = 0
  let isAsking = false
  let isFirst = true

  async function refresh() {
    clearTimeout(timer)
    if (need('activity').hidden || document.hidden || isAsking) return
    isAsking = true
    try {
      await load()
      const after = Date.now() - minutes * MINUTE * 1000
      const answer = await api.call('GET', `api/samples?after=${after}&rows=${ROWS_MAX}`)
      columns = answer.columns
      if (isFirst) fitRange()
      need('charts-failed').hidden = true
      render()
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      setText('charts-failed', api.whyNot(error))
      need('charts-failed').hidden = false
    } finally {
      isAsking = false
      const ms = REFRESH_SHARE * minutes * MINUTE * 1000
      timer = window.setTimeout(refresh, Math.max(REFRESH_MS_MIN, ms))
    }
  }

  /** A node that runs for minutes only would fill an edge of an hour. */
  function fitRange() {
    isFirst = false
    const [oldest] = columns?.at ?? []
    const shortest = need('chart-range').querySelector('button')
    if (shortest === null || (oldest && Date.now() - oldest > SHORT_MS)) return
    minutes = Number(shortest.dataset.minutes)
    press(shortest)
  }

  /** @param {HTMLButtonElement} button */
  function press(button) {
    for (const one of need('chart-range').querySelectorAll('button'))
      one.ariaPressed = String(one === button)
  }

  /** Only who looks at charts needs what draws them. */
  async function load() {
    if (UPlot !== undefined) return
    document.head.append(make('link', { rel: 'stylesheet', href: 'web/uplot.css' }))
    UPlot = (await import('./uplot.js')).default
  }

  /** Makes them anew: another language, other colours. */
  function rebuild() {
    for (const { plot } of shown) plot.destroy()
    shown = UPlot === undefined ? [] : CHARTS.map(makeChart)
    need('charts').replaceChildren(...shown.map(({ figure }) => figure))
    resize()
    if (columns !== undefined) render()
  }

  /** @param {typeof CHARTS[number]} chart */
  function makeChart({ title, unit, series }) {
    const place = make('div', { className: 'plot', ariaHidden: 'true' })
    const texts = series.map(() => make('span', { className: 'value' }))
    const labels = series.map(({ label, color }, at) => {
      const mark = make('i', { className: 'dot' })
      mark.style.background = `var(${color})`
      return make('li', {}, mark, say(label), ' ', texts[at] ?? '')
    })
    const legend = make('ul', { className: 'legend' }, ...labels)
    const head = make('figcaption', {}, make('h3', { textContent: say(title) }), legend)
    const figure = make('figure', { className: 'card chart' }, head, place)
    const plot = new UPlot(optionsOf(unit, series, texts), [[], ...series.map(() => [])], place)
    return { plot, figure, texts }
  }

  /**
   * @param {'bytes' | 'count' | 'ms'} unit
   * @param {typeof CHARTS[number]['series']} series
   * @param {HTMLElement[]} texts
   */
  function optionsOf(unit, series, texts) {
    const style = getComputedStyle(document.documentElement)
    const color = (/** @type {string} */ name) => style.getPropertyValue(name).trim()
    const write = (/** @type {number | null | undefined} */ value) => words(value, unit)
    const axis = {
      stroke: color('--soft'),
      grid: { stroke: color('--line'), width: 1 },
      ticks: { show: false },
      font: '11px system-ui, sans-serif'
    }
    const time = new Intl.DateTimeFormat(language.name, { timeStyle: 'short', hour12: false })
    return {
      width: 320,
      height: HEIGHT,
      legend: { show: false },
      padding: [8, 8, 0, 0],
      cursor: {
        y: false,
        drag: { x: false, y: false },
        sync: { key: 'tumesh', setSeries: false },
        points: { size: 6 }
      },
      scales: { y: { auto: false } },
      axes: [
        {
          ...axis,
          space: 70,
          size: 24,
          values: (/** @type {any} */ _, /** @type {number[]} */ at) =>
            at.map((seconds) => time.format(new Date(seconds * 1000)))
        },
        {
          ...axis,
          size: unit === 'bytes' ? 60 : 52,
          space: 34,
          ...(unit === 'count' && { incrs: WHOLE }),
          values: (/** @type {any} */ _, /** @type {number[]} */ at) => at.map(write)
        }
      ],
      series: [
        {},
        ...series.map(({ color: name }) => ({
          stroke: color(name),
          width: 1.5,
          fill: `${color(name)}1c`, // a canvas knows hex with alpha everywhere
          points: { show: false }
        }))
      ],
      hooks: {
        setCursor: [(/** @type {any} */ plot) => tell(plot, texts, write)],
        setData: [(/** @type {any} */ plot) => tell(plot, texts, write)]
      }
    }
  }

  /**
   * The values under the pointer; else the latest.
   * @param {any} plot
   * @param {HTMLElement[]} texts
   * @param {(value: number | null | undefined) => string} write
   */
  function tell({ cursor, data }, texts, write) {
    const at = cursor.idx ?? data[0].length - 1
    for (const [n, text] of texts.entries()) setText(text, write(data[n + 1]?.[at]))
    const seconds = cursor.idx === null || cursor.idx === undefined ? undefined : data[0][at]
    const time = seconds && formatClock(new Date(seconds * 1000).toISOString(), language.name)
    setText('chart-at', time ? say('chart.at', { time }) : '')
  }

  /**
   * @param {number | null | undefined} value
   * @param {'bytes' | 'count' | 'ms'} unit
   */
  function words(value, unit) {
    if (value === null || value === undefined) return '–'
    if (unit === 'bytes') return `${formatSize(value)}/s`
    if (unit === 'ms') return formatLatency(value, language.name)
    return value.toLocaleString(language.name, { maximumFractionDigits: 1 })
  }

  function render() {
    if (shown.length === 0) rebuild()
    const at = (columns?.at ?? []).map((ms) => (ms ?? 0) / 1000)
    const until = Date.now() / 1000
    for (const [n, { series, unit }] of CHARTS.entries()) {
      const { plot } = shown[n] ?? {}
      const lists = series.map(({ column, times = 1 }) =>
        (columns?.[column] ?? []).map((value) => (value === null ? null : value * times))
      )
      plot?.batch(() => {
        plot.setData([at, ...lists], false)
        plot.setScale('x', { min: until - minutes * MINUTE, max: until })
        const top = Math.max(0, ...lists.flat().map(Number))
        plot.setScale('y', { min: 0, max: top > 0 ? 1.1 * top : QUIET_MAX[unit] })
      })
    }
    setText('charts-none', at.length === 0 ? say('chart.none') : '')
    need('charts-none').hidden = at.length > 0
  }

  function resize() {
    for (const { plot, figure } of shown) {
      const width = figure.querySelector('.plot')?.clientWidth ?? 0
      if (width > 0 && width !== plot.width) plot.setSize({ width, height: HEIGHT })
    }
  }

  need('chart-range').addEventListener('click', ({ target }) => {
    if (!(target instanceof HTMLButtonElement)) return
    minutes = Number(target.dataset.minutes)
    isFirst = false
    press(target)
    refresh()
  })
  new ResizeObserver(resize).observe(need('charts'))
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', rebuild)
  document.addEventListener('visibilitychange', refresh)
  language.onChange(rebuild)
  return { show: refresh }
}
