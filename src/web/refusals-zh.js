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
  backup_broken: '备份不完整或已损坏，无法全部导入；此前的部分已经导入。',
  backup_none: '这不是 Tumesh 的备份。请选择由 backup 写出的文件。',
  body_no_json: '请求的内容不是 JSON。',
  form_broken: '无法读取表单。请以 multipart/form-data 发送，图片放在 file 字段中。',
  image_in_part: '请发送完整且未经编码的图片：不要带 Content-Range 或 Content-Encoding。',
  bytes_to_send: '此处没有这些数据：请发送文件。',
  name_none_free: '没有找到可用的名称：请给出路径。',
  names_many: '一次最多指定 {max} 个，没有删除任何图片。请分批删除。',
  cursor_foreign: '这个游标不属于这份列表：请去掉它重新开始，其余参数保持不变。',
  request_broken: '节点无法读懂这个请求。',
  raw_only: '此处只提供原始数据块：请用 ?format=raw 请求；图片本身在 /blobs/ 下。',
  // fields of what was sent
  field_sign_one: '请只给出 path、prefix、sha256 三者之一',
  field_review_names: '请用 paths 指定图片，或给出 "all": true',
  field_away: '应为时长，如 2h 或 3d，最长 90 天',
  field_verify_one: '请只给出 paths、prefix、path 三者之一；都不给出表示全部',
  field_hash_alone: '须与 path 一起给出',
  field_delete_names: '请用 image_ids、paths 或 hashes 指定图片',
  field_block_one: '请用 sha256 或 path 指定要屏蔽的内容，二者只取其一',
  field_limit: '应为每秒字节数，如 5MB 或 500KiB，至少 {min}；null 表示不限',
  field_replicas: '最多 {max} 份',
  field_hash: '应为十六进制的 SHA-256 或 MD5，或 CID',
  field_since: '不是时间：请用 ISO 8601（2026-01-31T12:00:00Z）或自 1970 年起的秒数',
  field_files_many: '一次请求的文件过多（最多 {max} 个）',
  field_file_text: '须作为带文件名的文件发送',
  field_file_coding: '须按原样发送，不能使用 {coding} 编码',
  field_file_missing: '缺少：请把图片放在 file 字段中发送',
  field_long: '应为不超过 {max} 字节的文本',
  field_twice: '给出了两次',
  field_url: '应为不超过 {max} 字节的网址',
  field_one_file: '只能与一个文件一起使用；请逐个发送文件',
  // which image
  image_absent: '没有图片 {path}。',
  image_deleted: '{path} 已被删除。只要数据还在回收站中，就可以恢复。',
  path_taken: '{path} 已存在，且内容不同。请先删除它，或换一个名称。',
  version_absent: '此处未保留 {path} 的更早版本。',
  version_nowhere: '此处未保留 {path} 的更早版本，已应答的服务器（{servers}）也没有。',
  version_lost: '{path} 该版本的数据已在此处丢失。',
  version_elsewhere: '{path} 的该版本保存在 {servers} 上，但未能取得其数据。请在那台服务器上恢复。',
  image_other_bytes: '某台服务器发来的这张图片的数据与先前不同。请重新读取。',
  image_broken_off: '没有服务器能把这张图片发送完。请稍后再试。',
  image_not_sent: '已连接的服务器都未能发送这张图片。',
  bytes_nowhere: '这张图片的数据不在此处，其他服务器现在也没有。',
  bytes_absent: '此处没有这些数据。',
  bytes_not_yet: '这张图片的数据尚未到达本服务器。',
  bytes_in_trash: '只有回收站里还有这些数据。恢复图片即可取回。',
  bytes_not_whole: '磁盘上这张图片的数据不完整，因此没有发送。请校验这张图片。',
  md5_absent: '此处没有 MD5 为此值的图片。其他服务器只能按 SHA-256 或 CID 询问。',
  md5_several: '多份数据有同一个 MD5。请改用 SHA-256：{hashes}。',
  hash_absent: '此处和已应答的服务器上都没有哈希为此值的图片。',
  still_adopting: '没有找到；节点仍在导入磁盘上已有的图片，请稍后再试。',
  still_catching_up: '没有找到；节点刚刚启动，正在询问其他服务器，请稍后再试。',
  thumbnails_off: '此处不生成缩略图。',
  page_file_absent: '页面没有这个文件。',
  address_absent: '{method} {path} 处什么也没有。',
  address_escapes: '地址中的百分号编码有误，或不是 UTF-8。',
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
  address_expired: '这个链接已过期。',
  address_revoked: '签署这个链接的密钥已被吊销。',
  address_wrong: '这个链接的签名不对：用了另一个密钥，或地址被改动过。',
  hotlinked: '其他网站的页面不能显示这里的图片。',
  login_other_site: '请求来自其他网站的页面。',
  adopt_elsewhere: '文件夹只能由本机上的程序指定：请在那台服务器上执行 tumesh adopt。',
  // folders to be taken in
  folder_relative: '{path} 不是绝对路径。',
  folder_unreadable: '无法读取 {path}：应是本服务器上的文件夹。',
  folder_own: '{path} 属于本节点；其中只有 images/ 存放图片。',
  folder_around: '{path} 包含本节点的数据文件夹。',
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
  server_absent: '没有连接名为 {server} 的服务器。',
  server_not_connected: '{server} 未连接，或属于另一个网络。',
  // joining
  invite_broken: '邀请不完整。请重新复制整行，前后不要有引号或文字；或者另行生成一个。',
  invite_expired: '邀请已过期。请另要一个。',
  invite_used: '邀请的使用次数已满。请另要一个。',
  invite_revoked: '邀请已被撤销。请另要一个。',
  invite_over: '邀请已失效。请另要一个。',
  invite_silent:
    '发出邀请的服务器在端口 {port} 上没有应答，或已不认识这个邀请。请让它运行并开放该端口（--lane-port），或者生成一个不需要端口的邀请：npm run invite -- --permanent',
  invite_several: '邀请中有多台服务器的地址：请用 join 使用它。',
  invite_no_lanes: '本节点没有开放数据通道，而这个邀请需要它。',
  addresses_differ: '这些地址属于不同的节点。请一次只给出一个节点的地址。',
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
  not_ready: '节点目前无法工作；其状态说明了原因。',
  index_opening: '正在打开索引。请重试。',
  answer_broken: '另一台服务器的应答中断或有误。请重试。',
  log_none: '本节点没有日志。',
  file_moved: '{file} 在读取过程中被移动或更改。请重试。',
  file_short: '{file} 不完整：它在读取过程中被更改。请校验。',
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
  BAD_HASH: '哈希有误：应为十六进制的 SHA-256（64 位）或 MD5（32 位），或 CID（bafkrei…）。',
  BAD_INVITE: '邀请不完整。请重新复制整行，前后不要有引号或文字；或者另行生成一个。',
  HASH_MISMATCH: '收到的数据与给出的哈希不符。请重新发送文件。',
  UPLOAD_ABORTED: '上传中断。请重新发送。',
  UNAUTHORIZED: '需要密钥：{detail}',
  FORBIDDEN: '不允许：{detail}',
  NOT_FOUND: '没有找到：{detail}',
  METHOD_NOT_ALLOWED: '此地址不支持这一操作。',
  NOT_ACCEPTABLE: '无法以所要求的形式给出。',
  NAME_TAKEN: '名称已被占用：{detail}',
  BRAKE_ENGAGED: '这类更改已被拦截。可在“安全”中确认或撤销。',
  AMBIGUOUS_ID: '指的是哪张图片并不明确，没有删除任何图片。请按路径或 SHA-256 指定。',
  NO_THUMBNAIL: '这张图片没有缩略图。',
  GONE: '已被删除：{detail}',
  PRECONDITION_FAILED: '图片与请求所预期的不同，未作更改。请重新读取。',
  BLOB_TOO_LARGE: '数据过大。请减少一次发送的数据。',
  EXTENSION_NOT_ALLOWED: '不接收这种扩展名：{detail}',
  CONTENT_MISMATCH: '内容与名称不符：{detail}',
  RANGE_NOT_SATISFIABLE: '所要求的范围不存在。',
  VALIDATION: '输入有误：{detail}',
  INFECTED: '病毒扫描程序拒绝了此文件：{detail}',
  BAD_PATH:
    '路径不可用：不能为空，不能以 / 开头或结尾，各段不能为空、不能是 . 或 ..、不能以空格开头或以空格和点结尾，不能有控制字符、系统不能保存的字符（如 \\ : * ? " < > |）和 Windows 的设备名，最长 1024 字节。',
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

/**
 * What is wrong with a field, by the type of the fault.
 * @type {Readonly<Record<string, string>>}
 */
export const issues = {
  invalid_type: '缺少，或类型不对',
  invalid_value: '不是可用的值',
  invalid_format: '格式不对',
  invalid_union: '不是可用的值',
  invalid_key: '有不可用的名称',
  invalid_element: '有不可用的值',
  unrecognized_keys: '有未知的字段',
  not_multiple_of: '不是可用的数',
  too_small: '太小或太短',
  too_big: '太大或太长',
  custom: '不是可用的值',
  value_error: '不是可用的值'
}
