// @ts-check
// What nodes say of themselves in a word, in Chinese.

/** @type {typeof import('./strings-en-reasons.js').reasons} */
export const reasons = {
  'lost.damaged': '文件曾损坏',
  'lost.missing': '文件已从磁盘上消失',
  'why.coming': '正从 {from} 传来',
  'why.next': '即将获取',
  'why.queued': '排在其他 {count} 张之后',
  'why.nobody': '已连接的服务器都没有它',
  'why.failed': '未能获取',
  'why.paused': '暂停获取片刻',
  'why.disk_full': '磁盘已满',
  'why.policy': '只保留在那里被读取过的图片',
  'why.alone': '没有连接任何其他服务器',
  'why.blocked': '已被屏蔽',
  'why.doubt': '磁盘状况存疑',
  'why.trashed': '数据在回收站中',
  'why.deleted': '已被删除',
  'why.undeleted': '尚未得知删除',
  'why.unknown': '尚未得知这张图片',
  'why.behind': '尚未得知这张图片',
  'why.behind.by': '其索引还缺 {count} 个条目',
  'why.behind.now': '正在比对两边的索引',
  'why.behind.next': '下次比对索引时会得知',
  'why.lacks': '据称尚未拥有',
  'why.unreachable': '未连接',
  'why.away': '暂时离开',
  'why.refused': '双方有一方不接受另一方',
  'why.silent': '未及时应答',
  'why.since': '最后在线：{time}',
  'why.believed': '据其上次所述，它有这张图片'
}
