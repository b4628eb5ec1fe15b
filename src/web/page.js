// @ts-check
// The page's parts, made and tied together.

import { createAccess } from './access.js'
import { createActivity } from './activity.js'
import { createApi, sendJson } from './api.js'
import { createAudit } from './audit.js'
import { createAway } from './away.js'
import { createBlocks } from './blocks.js'
import { createCharts } from './charts.js'
import { createDetail } from './detail.js'
import { listenToCopyButtons, need, onClick, openStore, setText } from './dom.js'
import { createEvents } from './events.js'
import { createGallery } from './gallery.js'
import { createJoin } from './join.js'
import { createLanguage, translate } from './language.js'
import { createLimits } from './limits.js'
import { createMesh } from './mesh.js'
import { createNotice } from './notice.js'
import { createReview } from './review.js'
import { createRouter } from './router.js'
import { createSafety } from './safety.js'
import { createSecret } from './secret.js'
import { createSettings } from './settings.js'
import { createStatus } from './status.js'
import { createTrash } from './trash.js'
import { createUploads } from './uploads.js'

const language = createLanguage(navigator.languages, openStore('localStorage'))
const access = createAccess({
  language,
  store: openStore('localStorage'),
  send: sendJson,
  onChange: begin
})
const api = createApi({ language, onDenied: access.deny })
const router = createRouter({ onShow: show })
const notice = createNotice({ view: () => router.view })

const blocks = createBlocks({ api, language, notice, onChange: () => changed(true) })
const detail = createDetail({
  ...{ api, language, notice, onBlock: blocks.ask },
  canShare: () => status.now?.node?.signed_urls === true,
  onChange: () => changed(true)
})
const gallery = createGallery({ api, language, onOpen: detail.open })
const status = createStatus({
  ...{ api, language },
  onChange: () => gallery.refresh(),
  onStatus: renderViews
})
const mesh = createMesh({ api, language, notice, status })
const activity = createActivity({
  ...{ api, language, status },
  onOpen: detail.openPath,
  onFirst: () => events.fromStart()
})
const charts = createCharts({ api, language })
const audit = createAudit({ api, language })
const away = createAway({ api, language })
const safety = createSafety({ api, language, notice, status })
const review = createReview({ api, language, status, onChange: () => gallery.refresh() })
const trash = createTrash({
  ...{ api, language, notice },
  onOpen: detail.openPath,
  onChange: () => changed(true)
})
const settings = createSettings({ api, language, notice })
const secret = createSecret({ api, language, notice, status })
const limits = createLimits({ api, language })
createJoin({ api, language, notice, onChange: status.poll })
createUploads({ api, language, onDone: () => changed() })
const events = createEvents({
  api,
  onEvent(event) {
    activity.add(event)
    status.soon()
    // what replaces another image changes no count
    if (event.kind === 'entry' || event.kind === 'deleted') refreshSoon()
  },
  onLive(live) {
    status.setLive(live === 'on')
    activity.setLive(live)
  }
})

const REFRESH_MS = 1000
let refreshing = 0

function refreshSoon() {
  if (refreshing !== 0) return
  refreshing = window.setTimeout(() => {
    refreshing = 0
    gallery.refresh()
  }, REFRESH_MS)
}

/** @param {boolean} [isWanted] */
async function changed(isWanted) {
  await gallery.refresh(isWanted)
  if (router.view === 'safety') trash.show()
  status.poll()
}

/** With another key, all is asked anew. */
function begin() {
  status.poll()
  gallery.reload()
  events.begin()
  show(router.view)
}

/** @param {import('./router.js').View} view */
function show(view) {
  renderTitle()
  if (view === 'mesh') mesh.show()
  if (view === 'activity') {
    activity.show()
    charts.show()
    audit.show()
  } else activity.hide()
  if (view === 'safety') {
    safety.show()
    away.show()
    review.render()
    trash.show()
    blocks.show()
  }
  if (view === 'settings') {
    settings.show()
    secret.show()
    limits.show()
  } else settings.hide()
}

function renderViews() {
  renderTitle()
  mesh.render()
  safety.render()
  review.render()
  secret.renderAway()
}

function renderTitle() {
  const name = status.now?.node?.name
  const view = router.view === 'images' ? '' : language.say(`view.${router.view}`)
  document.title = [view, name, 'Tumesh'].filter(Boolean).join(' · ')
}

function renderLanguage() {
  translate(document, language)
  const isChinese = language.name === 'zh'
  need('language').lang = isChinese ? 'en' : 'zh-CN'
  setText('language', isChinese ? 'English' : '中文')
  renderTitle()
}

onClick('language', () => language.choose(language.name === 'zh' ? 'en' : 'zh'))
language.onChange(renderLanguage)
listenToCopyButtons(language)
renderLanguage()
status.render()
router.start()
status.poll()
gallery.reload()
events.begin()
