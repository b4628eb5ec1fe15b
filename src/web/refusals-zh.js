// @ts-check
// What a node says when it refuses, in Chinese: by the word of the sentence, else by its code.

/** @type {Readonly<Record<string, string>>} */
export const refusals = {
  // what was sent
  content_foreign: '{name} 的内容是 {found}，与扩展名不符，不予接收。',
  content_misnamed: '{name} 的内容是 {found}：请把扩展名改为 .{extension}。',
  content_unrecognized: '{from} 未被识别为图片。请用新名称重新上传，以便检查。',
  content_empty: '{name} 是空的。这里只保留能够解码的图片（file_storage.content: strict）。',
  content_unknown:
    '{name} 不是本节点认识的图片。这里只保留能够解码的图片（file_storage.content: strict）。',
  content_unreadable:
    '本节点无法解码 {name}。这里只保留能够解码的图片（file_storage.content: strict）。',
  content_damaged:
    '{name} 已损坏或不完整。这里只保留能够解码的图片（file_storage.content: strict）。',
  content_pixels: '{name} 的像素超出本节点可解码的数量（file_storage.content: strict）。',
  content_slow: '解码 {name} 用时过长（file_storage.content: strict）。',
  pixels_few:
    '图片为 {width}×{height} 像素，少于这里接收的下限（file_storage.min_pixels: {min}）。',
  pixels_many:
    '图片为 {width}×{height} 像素，超过这里接收的上限（file_storage.max_pixels: {max}）。',
  extension_missing:
    '文件名没有扩展名，不予接收。可用的扩展名：{allowed}（file_storage.allowed_extensions）。',
  extension_refused:
    '不接收扩展名为 .{extension} 的图片。可用的扩展名：{allowed}（file_storage.allowed_extensions）。',
  image_large: '图片超过本节点接收的上限 {max}（file_storage.max_file_size）。',
  request_large: '一次请求最多 {max}。请减少文件数量。',
  infected: '病毒扫描程序发现了 {found}：不接收此文件。',
  bytes_blocked: '这些数据已在网络的所有服务器上被屏蔽。',
  bytes_blocked_since: '这些数据已在网络的所有服务器上被屏蔽：{reason}。',
  // which image
  image_absent: '没有图片 {path}。',
  image_deleted: '{path} 已被删除。只要数据还在回收站中，就可以恢复。',
  path_taken: '{path} 已存在，且内容不同。请先删除它，或换一个名称。',
  version_absent: '此处未保留 {path} 的更早版本。',
  version_nowhere: '此处未保留 {path} 的更早版本，已应答的服务器（{servers}）也没有。',
  version_lost: '{path} 该版本的数据已在此处丢失。',
  version_elsewhere: '{path} 的该版本保存在 {servers} 上，但未能取得其数据。请在那台服务器上恢复。',
  task_absent: '没有这个任务。已结束的任务只保留一段时间，节点重启后即消失。',
  // who asks
  key_not_here: '需要具有 {scope} 权限的密钥：调用者不在本机上。',
  key_proxy: '需要具有 {scope} 权限的密钥：请求经由代理转发。',
  key_proxy_before: '需要具有 {scope} 权限的密钥：此前有经转发的请求来自本机。',
  key_host: '需要具有 {scope} 权限的密钥：Host 标头不是带有本节点端口的本机名称。',
  key_other_site: '需要具有 {scope} 权限的密钥：请求来自其他网站的页面。',
  key_other_user: '需要具有 {scope} 权限的密钥：发出请求的程序以另一个用户身份运行。',
  key_unknown: '此处不认识该密钥。需要具有 {scope} 权限的密钥。',
  key_own_machine: '该密钥只在其自己的机器上有效。需要具有 {scope} 权限的密钥。',
  key_scope: '该密钥没有 {scope} 权限。',
  // what is there already, or no more
  keys_many: '已有 {max} 个密钥。请先吊销一些。',
  key_absent: '没有这个密钥：它可能已被吊销。',
  blocks_many: '屏蔽的哈希已达上限：请先解除一些。',
  block_absent: '该哈希没有被屏蔽。',
  invites_many: '已有 {max} 个邀请：请先撤销。',
  member_absent: '没有这个成员：它可能已被移除。',
  brake_over: '这一拦截已经解除。',
  brake_no_undo:
    '从磁盘上消失的文件无法撤销。请让磁盘恢复，节点会自行继续；或者确认，图片将从其他服务器取回。',
  sign_off: '此处不检查签名链接：请在所有服务器上设置 http.signed_urls。',
  // joining
  invite_broken: '邀请不完整。请重新复制整行，前后不要有引号或文字；或者另行生成一个。',
  invite_expired: '邀请已过期。请另要一个。',
  invite_used: '邀请的使用次数已满。请另要一个。',
  invite_revoked: '邀请已被撤销。请另要一个。',
  invite_over: '邀请已失效。请另要一个。',
  invite_silent:
    '发出邀请的服务器在端口 {port} 上没有应答，或已不认识这个邀请。请让它运行并开放该端口（--lane-port），或者生成一个不需要端口的邀请：npm run invite -- --permanent',
  address_strange:
    '“{text}” 不是节点的地址。请给出 http://host:8000 或形如 /ip4/192.168.1.5/tcp/4001/p2p/12D3KooW… 的地址，或者 invite 打印的那一行。',
  joins_many: '等待加入的服务器最多 {max} 台。一台就够了：节点会从它那里得知其余的服务器。',
  same_node: '这是本节点自己的地址，或其数据文件夹副本的地址。请给出另一个节点的地址。',
  remove_self: '这就是本节点。要把它移出网络，请在另一个节点上移除它。',
  dial_not_on_link:
    '{place} 不在本地网络上；没有密钥时，本节点只与本地网络上的节点连接。请在其中一台执行 invite，在另一台用得到的那一行执行 join。',
  target_closed:
    '{place} 处的节点只对持有密钥者公开其地址。请在那里执行 invite，再用得到的那一行加入。',
  target_moved: '{place} 转到 {to}。请改用那个地址加入。',
  target_no_host: '找不到主机 {place}。请检查名称。',
  target_insecure: '无法与 {place} 建立安全连接。请改用不加密的 http 地址。',
  target_no_node: '{place} 处应答的不是 Tumesh 节点。请检查地址：应是节点页面的地址。',
  target_alone:
    '{place} 处的节点独自运行，没有供其他节点使用的地址。请以 file_sync.enabled: true 启动它。',
  secret_from_file:
    '本节点的密钥来自文件，只能由配置更改。请去掉 --secret-file 后启动并重新加入，或使用另一个网络的密钥启动。',
  // the secret of the mesh
  secret_fixed:
    '本节点的密钥来自文件，只能由人更换：把新的密钥（openssl rand -hex 32）写入每台服务器的密钥文件，再逐台重启。其间持新密钥与持旧密钥的服务器互不相通。',
  secret_none: '这个网络还没有密钥：生成邀请时会产生一个。',
  // what the node can't do now
  stands_alone: '本节点独自运行：file_sync.enabled 为 false。以 true 启动它，才能与其他节点连接。',
  stopped_loss: '许多图片文件一下子从磁盘上消失，因此已拦截。磁盘是否已挂载？可在“安全”中确认。',
  stopped_changes: '短时间内删除、替换或屏蔽了大量图片，因此已拦截。可在“安全”中确认或撤销。',
  scanner_absent: '病毒扫描程序没有应答，在此期间不接收任何图片。',
  marker_absent: '数据文件夹的标记 .tumesh 不见了：磁盘是否仍然挂载着？恢复之前不写入任何数据。',
  no_room:
    '没有空间再存 {size}：可用 {free}，其中保留 {reserve}（file_storage.reserve）。请腾出空间后重新发送。',
  disk_was_full: '磁盘已满（{error}）。请腾出空间后重试。',
  files_open_many: '打开的文件过多（{error}）。请重试，或提高上限（ulimit -n）。',
  disk_failed: '磁盘出错（{error}）。请检查磁盘、其权限和系统日志。'
}

/**
 * What each code means, where the sentence has no word. `{detail}` is what the node says.
 * @type {Readonly<Record<string, string>>}
 */
export const codes = {
  BAD_REQUEST: '请求有误：{detail}',
  BAD_HASH: '哈希有误：{detail}',
  BAD_INVITE: '邀请无效：{detail}',
  HASH_MISMATCH: '收到的数据与给出的哈希不符。请重新发送文件。',
  UPLOAD_ABORTED: '上传中断。请重新发送。',
  UNAUTHORIZED: '需要密钥：{detail}',
  FORBIDDEN: '不允许：{detail}',
  NOT_FOUND: '没有找到：{detail}',
  METHOD_NOT_ALLOWED: '此地址不支持这一操作：{detail}',
  NOT_ACCEPTABLE: '无法以所要求的形式给出：{detail}',
  NAME_TAKEN: '名称已被占用：{detail}',
  BRAKE_ENGAGED: '这类更改已被拦截。可在“安全”中确认或撤销。',
  AMBIGUOUS_ID: '指的是哪张图片并不明确，没有删除任何图片：{detail}',
  NO_THUMBNAIL: '这张图片没有缩略图：{detail}',
  GONE: '已被删除：{detail}',
  PRECONDITION_FAILED: '图片其间已有变化，未作更改：{detail}',
  BLOB_TOO_LARGE: '数据过大：{detail}',
  EXTENSION_NOT_ALLOWED: '不接收这种扩展名：{detail}',
  CONTENT_MISMATCH: '内容与名称不符：{detail}',
  RANGE_NOT_SATISFIABLE: '所要求的范围不存在。',
  VALIDATION: '输入有误：{detail}',
  INFECTED: '病毒扫描程序拒绝了此文件：{detail}',
  BAD_PATH: '路径无效：{detail}',
  BLOCKED: '这些数据已被屏蔽：{detail}',
  TOO_MANY_REQUESTS: '请求过多。请稍后再试。',
  INTERNAL: '节点未能应答，原因见其日志。请重试。',
  DISK_FAULT: '磁盘出错：{detail}',
  NOT_AVAILABLE: '暂时无法完成：{detail}',
  PEER_UNREACHABLE: '无法连接到那台服务器：{detail}',
  SAME_NODE: '这就是本节点：{detail}',
  SYNC_OFF: '分布式存储未启用（file_sync.enabled）。',
  READ_ONLY: '节点目前只读：{detail}',
  BUSY: '节点正忙。请稍后再试。',
  STOPPING: '节点正在停止。请在它重新运行后再试。',
  DISK_FULL: '磁盘已满：{detail}'
}
