// @ts-check
// What a node says of what is wrong, in Chinese, by its codes. The node itself speaks English, so
// that needs no words here; what has none here stays as the node says it.

/** @type {Readonly<Record<string, string>>} */
export const causes = {
  index_fault: '索引无法写入或读取，因此不再接收任何更改。请检查磁盘，然后重新启动节点。',
  index_damage:
    '磁盘上的索引已损坏。几分钟内会用其中仍可读取的部分重建；在此之前不接收任何更改。请检查磁盘。',
  index_no_room: '磁盘已满：索引无法写入。请腾出空间，几分钟内会恢复接收更改。',
  disk_fault: '磁盘出错（{detail}）。请检查磁盘，然后重新启动节点；在此之前不接收任何数据。',
  brake_loss:
    '许多图片文件（{of} 个中的 {count} 个）一下子从磁盘上消失。磁盘是否已挂载？在“安全”中确认之前，不再认定任何数据丢失，也不接收任何数据。',
  brake_changes:
    '短时间内删除、替换或屏蔽了大量图片（{of} 张中的 {count} 张）。在“安全”中确认或撤销之前，这里不再删除、替换或屏蔽任何图片，回收站也不再清理。',
  blocks_left_out: '{count} 个被屏蔽的哈希超出了可容纳的数量：它们在这里不起作用。',
  secret_exchanged:
    '网络密钥已更换，尚未确认这些服务器持有新密钥：{servers}。它们在 {until} 之前连接即可得到，之后需用邀请重新加入。',
  marker_gone:
    '数据文件夹的标记 .tumesh 不见了：磁盘是否仍然挂载着？标记恢复之前不接收也不删除任何数据；图片照常提供。',
  images_damaged: '{count} 张图片在磁盘上损坏；损坏的数据在 quarantine/ 中。',
  images_missing: '{count} 张图片缺失：blobs/ 中的文件不见了。',
  quarantine_large:
    'quarantine/ 中有 {count} 个文件（{size}）：损坏的图片，以及在 images/ 中占据其他图片位置的文件。那里的文件不会自动清除：请查看并删除不需要的。',
  images_unshown:
    'images/ 中有 {count} 张图片未能更新，其中有 {path}（{error}）：请允许本节点的用户写入其所在文件夹。已删除的图片可能仍在那里可见。',
  images_unshown_fault:
    'images/ 中有 {count} 张图片未能更新，其中有 {path}（{error}）：请检查磁盘和系统日志。已删除的图片可能仍在那里可见。',
  review: '{count} 张图片待审：其他服务器可能早已将其删除。请在“安全”中恢复或丢弃。',
  scanner_silent: '病毒扫描程序没有应答（{detail}）：上传被拒绝。',
  scanner_silent_accepting: '病毒扫描程序没有应答（{detail}）：图片仍被接收，{count} 张等待扫描。',
  scanner_limit:
    '病毒扫描程序不接收 {size} 或更大的图片，因此这样的图片没有经过扫描。请把 clamd.conf 中的 StreamMaxLength 至少设为 file_storage.max_file_size。',
  index_rebuilt:
    '索引曾有 {count} 处错误，最近一次在 {at}，已在原处重建。若再次出现，请检查本机的磁盘和内存。',
  index_damaged:
    '磁盘改动了索引中的 {count} 个条目，详见日志。请检查磁盘。如果其他服务器拥有全部数据，请停止节点，移走 metadata/index 后重新启动：它会从其他服务器取回索引。',
  disk_full: '磁盘已满（只剩保留空间）：腾出空间之前拒绝上传。仍可删除。',
  disk_low: '磁盘快满了。',
  deletions_wait:
    '{count} 条旧的删除记录会保留到每台服务器都得知为止：正在等待 {servers}。代价很小。不再回来的服务器可以在“网络”中移除。',
  adopting: '正在从文件夹导入图片，目前 {count} 个文件。',
  removed:
    '本节点已被移出网络，没有成员与它连接。要重新加入，请在某个成员上用本节点的地址执行 join。',
  twin: '另有一个节点使用与本节点相同的身份：它的数据文件夹是副本。请停止其中一个，从其数据文件夹中删除 metadata/identity.key，然后重新启动。',
  clock_ahead: '{server} 的时钟比本服务器快 {minutes} 分钟。请校准两者，最好使用 NTP。',
  clock_behind: '{server} 的时钟比本服务器慢 {minutes} 分钟。请校准两者，最好使用 NTP。',
  server_disk_full: '{server} 的磁盘自 {since} 起已满：新图片不会保存在那里。请为它腾出空间。',
  images_nowhere:
    '{count} 张图片既不在这里，也不在任何已连接的服务器上。请加入拥有它们的服务器，或重新上传。',
  images_unreachable: '{count} 张图片既不在这里，也不在任何已连接的服务器上。未连接：{servers}。',
  away_until: '它说过会离线到 {until}。',
  other_mesh: '它保存着另一个网络的图片，两者互不相通。要合并，请执行：{command}',
  dial_other_cluster:
    '{place} 处的节点属于另一个集群，或密钥不同。请在其中一台执行 invite，在另一台用得到的那一行执行 join。',
  dial_other_node: '{place} 处是另一个节点，不是要找的那一个。请使用该节点现在显示的地址。',
  dial_not_admitted: '本节点不与 {place} 处的节点连接：它已被移出网络，或不在本地网络上。',
  dial_hung_up: '{place} 处的节点立即断开：它不接受本节点、连接过多，或不是 Tumesh 节点。',
  dial_no_node:
    '{place} 处监听的不是 Tumesh 节点。请检查端口：应是供其他节点使用的端口，而不是 HTTP 端口。',
  dial_refused: '{place} 处没有监听（连接被拒绝）。请启动那里的节点，或检查端口。',
  dial_timed_out: '{place} 未及时应答。请确认机器已开机，且端口未被防火墙阻挡。',
  dial_no_route: '无法到达 {place}。请确认机器已开机，且端口未被防火墙阻挡。',
  dial_unknown: '无法连接到 {place} 处的节点。'
}
