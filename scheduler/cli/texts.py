"""What the command line says, in English and in Chinese: one catalogue, chosen by the locale."""

from __future__ import annotations

import os
from typing import Any, Final

from scheduler.cli.helptexts import HELP
from scheduler.cli.housetexts import HOUSE

OUTPUT: Final[dict[str, tuple[str, str]]] = {
    "error": ("error: {message}", "错误：{message}"),
    "warning": ("warning: {message}", "注意：{message}"),
    "nothing": ("–", "–"),
    "try.help": ("Try '{command} --help' for help.", "用法说明见“{command} --help”。"),
    "did.you.mean": (" (did you mean '{found}'?)", "（是否为“{found}”？）"),
    "missing": ("{what} is missing", "缺少 {what}"),
    "bad.value": ("{what}: {message}", "{what}：{message}"),
    "no.option": ("there is no option {option}", "没有 {option} 这个选项"),
    "letters": ("{count} letters", "{count} 封函"),
    "ago": (" ({seconds} s ago)", "（{seconds} 秒前）"),
    "unknown.command": ("there is no command '{name}'", "没有“{name}”这个命令"),
    "unknown.section": ("unknown section '{name}'", "没有名为“{name}”的科室"),
    "unknown.item": (
        "the plan has no rule, milestone or project '{name}'",
        "行动方案中没有编号为“{name}”的规则、任务或专项",
    ),
    "unknown.key": ("there is no obligation '{key}'", "没有“{key}”这一应办事项"),
    "bad.key": (
        "'{key}' is not a key like monthly/2023-06/财务科",
        "“{key}”不是 monthly/2023-06/财务科 这样的编号",
    ),
    "no.folder": ("there is no folder '{folder}'", "没有“{folder}”这个文件夹"),
    "no.plan": (
        "'{folder}' has no plan.yaml; 'duban init DIR' makes a first plan",
        "“{folder}”中没有 plan.yaml；可用 duban init 文件夹 新建一份",
    ),
    "no.ledger": (
        "there is no ledger {ledger} yet; 'duban run PLAN' makes it, or set DUBAN_DATABASE",
        "还没有台账 {ledger}；duban run 会建立它，或用 DUBAN_DATABASE 指明",
    ),
    "which.plan": (
        "which plan? give --plan FOLDER, or go to its folder (plans below this one: {found})",
        "请用 --plan 指明行动方案的文件夹，或先进入该文件夹（本处下一级有：{found}）",
    ),
    "bad.plan": (
        "the plan in {folder} has {count} error(s); mend them first ('duban check' lists all)",
        "{folder} 中的行动方案有 {count} 处错误，请先改正（duban check 可列出全部）",
    ),
    "bad.span": ("{last} lies before {first}", "{last} 早于 {first}"),
    "bad.script": ("the script has {count} mistake(s)", "脚本有 {count} 处错误"),
    "bad.templates": ("the templates have {count} mistake(s)", "模板有 {count} 处错误"),
    "one.decision": (
        "give either --deadline (a new deadline) or --reassign (another section)",
        "请在 --deadline（改时限）与 --reassign（改派）中任选一项",
    ),
    "override.refused": (
        "the decision was not written: the plan would not load with it",
        "未写入：写入后行动方案将无法读取",
    ),
    "override.done": (
        "written to {file}; the running daemon takes it up within a minute",
        "已写入 {file}；正在运行的督办程序将在一分钟内执行",
    ),
    "check.errors": ("{count} error(s):", "错误 {count} 处："),
    "check.warnings": ("{count} warning(s):", "注意 {count} 处："),
    "check.to_confirm": ("{count} note(s) for the office to confirm:", "请办公室核定 {count} 处："),
    "check.refused": (
        "refused: {count} error(s); a running daemon keeps the plan that it has",
        "不予采用：有 {count} 处错误；正在运行的督办程序仍按原方案执行",
    ),
    "check.fine": (
        "{plan} is fine: {sections} sections, {officials} officials, {rules} rules, "
        "{milestones} milestones, {projects} projects, {overrides} overrides",
        "{plan} 可用：科室 {sections} 个，领导 {officials} 位，报送规则 {rules} 条，"
        "月度任务 {milestones} 项，重点专项 {projects} 项，临时决定 {overrides} 条",
    ),
    "col.deadline": ("deadline", "时限"),
    "col.id": ("id", "编号"),
    "col.item": ("what", "事项"),
    "col.sections": ("sections", "科室"),
    "col.rungs": ("reminders", "提醒日"),
    "sections": ("{count} sections", "{count}个科室"),
    "exempt": ("exempt: {reason}", "免报：{reason}"),
    "agenda.none": ("nothing is due from {first} to {last}", "{first} 至 {last} 没有到期事项"),
    "agenda.sum": (
        "{count} obligations from {first} to {last} (? = holidays not announced yet)",
        "{first} 至 {last} 共 {count} 项（? 表示放假安排未公布，时限待定）",
    ),
    "sim.letters": ("{count} letters from {from} to {to}", "{from} 至 {to} 共发函 {count} 封"),
    "sim.kinds": ("by kind", "按种类"),
    "sim.lights": ("by light", "按灯色"),
    "sim.standings": ("obligations", "应办事项"),
    "sim.waiting": ("{count} letter(s) still waiting to be sent", "尚有 {count} 封未发出"),
    "sim.failed": ("{count} letter(s) refused by the relay", "有 {count} 封被邮件服务器拒收"),
    "sim.out": (
        "written to {out}: letters.jsonl, mail/, ledger.sqlite",
        "已写入 {out}：letters.jsonl、mail/、ledger.sqlite",
    ),
    "kind.reminder": ("reminders", "提醒"),
    "kind.escalation": ("escalations", "报告领导"),
    "kind.change": ("changes", "时限变更"),
    "kind.receipt": ("receipts", "回执"),
    "kind.closing": ("closing notes", "办结"),
    "kind.digest": ("digests", "每日摘要"),
    "kind.notice": ("notices", "通知"),
    "light.blue": ("blue", "蓝"),
    "light.yellow": ("yellow", "黄"),
    "light.red": ("red", "红"),
    "standing.pending": ("pending", "未到期"),
    "standing.submitted": ("submitted", "待核"),
    "standing.on_time": ("on time", "按时"),
    "standing.late": ("late", "迟报"),
    "standing.overdue": ("overdue", "逾期"),
    "standing.exempt": ("exempt", "免报"),
    "standing.returned": ("returned", "退回"),
    "standing.before": ("before the ledger", "此前"),
    "standing.dropped": ("dropped", "撤销"),
    "inbox.none": ("no mail waits for the office", "没有待处理的邮件"),
    "inbox.unknown": (
        "there is no mail {number}; 'duban inbox list --all' lists them",
        "没有编号为 {number} 的邮件；用 duban inbox list --all 查看",
    ),
    "inbox.unset": (
        "no mailbox is set: give imap_host, imap_username and imap_password",
        "未设置收件邮箱：请填写 imap_host、imap_username、imap_password",
    ),
    "inbox.line": (
        "{number}  {at}  {state}: {why}  {sender}  {subject}",
        "{number}  {at}  {state}：{why}  {sender}  {subject}",
    ),
    "inbox.state.open": ("waits", "待处理"),
    "inbox.state.taken": ("taken", "已登记"),
    "inbox.state.asked": ("asked back", "已询问"),
    "inbox.state.bounce": ("bounce", "退信"),
    "inbox.state.ignored": ("passed over", "不处理"),
    "inbox.state.assigned": ("assigned", "已归入"),
    "inbox.state.dismissed": ("dismissed", "已排除"),
    "inbox.state.again": ("again", "重复"),
    "inbox.kept": ("kept as {path}", "原件：{path}"),
    "inbox.file": ("  {name} ({size} bytes) {sha256}", "  {name}（{size} 字节） {sha256}"),
    "inbox.assigned": (
        "mail {number} hands in {key}: {receipt}",
        "邮件 {number} 已登记为 {key} 的报送：{receipt}",
    ),
    "inbox.dismissed": ("mail {number} is dismissed", "邮件 {number} 已排除"),
    "inbox.works.done": ("{address} is believed to work", "{address} 已恢复"),
    "inbox.test.good": (
        "{account} can be read: {count} mail(s) of today",
        "{account} 可以读取：今天有 {count} 封邮件",
    ),
    "inbox.test.bad": (
        "{account} cannot be read: {reason}",
        "{account} 无法读取：{reason}",
    ),
    "status.mailbox": ("mailbox last read: {at}", "邮箱最近读取：{at}"),
    "status.mailbox.trouble": (
        "  the mailbox cannot be read since {since}: {reason}",
        "  邮箱自 {since} 起无法读取：{reason}",
    ),
    "status.mails.open": (
        "  {count} mail(s) wait for the office: duban inbox list",
        "  {count} 封邮件待办公室处理：duban inbox list",
    ),
    "status.returned": (
        "  letters to {address} come back since {since}: {said}",
        "  发往 {address} 的函件自 {since} 起被退回：{said}",
    ),
    "submit.done": ("{key} is handed in: {number}, {at}", "{key} 已报送：{number}，{at}"),
    "accept.done": ("{key} is accepted", "{key} 已核收"),
    "return.done": (
        "{key} is returned; the section will be told",
        "{key} 已退回，将发函告知科室",
    ),
    "withdraw.done": ("{key} is withdrawn and owed again", "{key} 已撤回，恢复为未报送"),
    "extensions.none": ("no request waits", "没有等待答复的申请"),
    "extensions.row": (
        "{key}: due {due}, asks for {wished}: {reason}",
        "{key}：时限 {due}，申请延至 {wished}：{reason}",
    ),
    "extensions.by": ("  {by}, {at}", "  {by}，{at}"),
    "extensions.granted": (
        "{key} is due {deadline} now; written to {file}, and the section will be told",
        "{key} 延至 {deadline}；已写入 {file}，将发函告知科室",
    ),
    "extensions.refused": (
        "the request about {key} is refused; the section will be told",
        "{key} 的延期申请未同意，将发函告知科室",
    ),
    "export.done": (
        "{files} file(s) of {hand_ins} hand-in(s) are in {out}; open {out}/index.html",
        "已整理报送 {hand_ins} 件、文件 {files} 个，见 {out}/index.html",
    ),
    "export.missing": ("missing or damaged: {name} ({digest})", "缺失或损坏：{name}（{digest}）"),
    "status.empty": ("the ledger has no plan yet", "台账中还没有行动方案"),
    "status.counts": (
        "  open {open} (overdue {overdue}, returned {returned}), submitted {submitted}, "
        "on time {on_time}, late {late}, exempt {exempt}",
        "  未办 {open}（其中逾期 {overdue}、退回 {returned}），待核 {submitted}，"
        "按时 {on_time}，迟报 {late}，免报 {exempt}",
    ),
    "status.queue": ("  letters waiting: {count}{oldest}", "  待发函 {count} 封{oldest}"),
    "status.oldest": (", the oldest since {at}", "，最早一封写于 {at}"),
    "status.queue.empty": ("  letters waiting: none", "  没有待发的函"),
    "status.retried": (
        "  not through yet: {recipient} <{address}>{since}: {reason}",
        "  尚未送达：{recipient} <{address}>{since}：{reason}",
    ),
    "status.retried.since": (" since {at}", "，自 {at}"),
    "status.failed": (
        "  refused: {recipient} <{address}>{since}: {reason}",
        "  被拒收：{recipient} <{address}>{since}：{reason}",
    ),
    "status.failed.since": (" on {at}", "，{at}"),
    "status.more": ("    and {count} more", "    另有 {count} 封"),
    "status.refused": (
        "  the plan's files have {count} mistake(s) since {since}: the plan before them goes on",
        "  方案文件自 {since} 起有 {count} 处错误，仍按修改前的方案运行：",
    ),
    "status.provisional": (
        "  provisional deadlines: {count} (holidays not announced yet)",
        "  时限待定 {count} 项（放假安排未公布）",
    ),
    "status.to.confirm": (
        "  notes to confirm: {count} ('duban check' lists them)",
        "  待核定 {count} 处（duban check 可列出）",
    ),
    "status.tick": ("last tick of the daemon: {at}{age}", "督办程序上次巡查：{at}{age}"),
    "status.trouble": (
        "the relay is in trouble since {since}: {reply}",
        "邮件自 {since} 起发不出去：{reply}",
    ),
    "status.barred": (
        "  one letter tries again at {at}; the others wait",
        "  {at} 以一封函再试，其余函件等待",
    ),
    "status.silent": (
        "the daemon does not run, or hangs: nothing is sent; start it, and look at its log",
        "督办程序没有运行或已停住，不会发出任何函件：请启动它，并查看日志",
    ),
    "status.held": (
        "this ledger is older than the one that duban last worked on, or another one: nothing is "
        "sent; put that one back, or confirm this one ('duban db confirm')",
        "这份台账比督办程序最后用的旧，或不是同一份，不会发出任何函件：请放回原来的台账；"
        "确要用这一份的，运行 duban db confirm",
    ),
    "status.full": (
        "the ledger's disk is full: nothing is sent until there is room",
        "台账所在磁盘已满，腾出空间之前不会发出任何函件",
    ),
    "status.unreadable": (
        "{count} value(s) of obligations cannot be read (row {row}, {column}): no reminder is sent "
        "about these; see 'duban db check'",
        "应办事项中有 {count} 处内容读不出（第 {row} 行的 {column}），这些事项不会发出提醒，请运行 "
        "duban db check",
    ),
    "status.jumped": (
        "the machine's clock jumped by more than a day: officials are told again from {until} on; "
        "check the clock",
        "服务器时钟跳变超过一天：{until} 以前暂不报告领导，请核对服务器时间",
    ),
    "send.reply": ("{address}: {code} {reply}", "{address}：{code} {reply}"),
    "send.accepted": (
        "the relay has taken it; look into the mailbox, and into its spam folder",
        "邮件服务器已接收；请到该邮箱查看，也看一看垃圾箱",
    ),
    "send.temporary": (
        "the relay does not answer or says 'later': check smtp_host and smtp_port, and whether a "
        "firewall lets this machine out",
        "邮件服务器没有应答或要求稍后再试：请核对 smtp_host、smtp_port，以及防火墙是否放行",
    ),
    "send.permanent": (
        "the relay refuses this mail: check the address, and whether mail_from may send",
        "邮件服务器拒收：请核对收件地址，以及 mail_from 是否有权发信",
    ),
    "send.unknown": (
        "the connection broke before the answer: the mail may have arrived; try again",
        "服务器应答之前连接中断：函可能已到，请再试一次",
    ),
    "send.held": (
        "the relay does not let us in: check smtp_tls, smtp_username and smtp_password",
        "邮件服务器不准登录：请核对 smtp_tls、smtp_username、smtp_password",
    ),
    "init.occupied": (
        "{folder} exists and is not empty; nothing was written",
        "{folder} 已存在且不是空文件夹；未写入任何内容",
    ),
    "init.done": (
        "A first plan is in {folder}. Next:\n"
        "  1. open {folder}/plan.yaml and put your own sections, officials and dates in\n"
        "  2. duban check {folder}\n"
        "  3. duban agenda {folder}              what is due this month\n"
        "  4. duban simulate {folder} --from {first} --to {last} --out sim\n"
        "                                        every letter of the year, none sent\n"
        "  5. set smtp_host and mail_from in duban.yaml, try duban send-test ADDRESS,\n"
        "     then duban run {folder}",
        "已在 {folder} 建好一份行动方案。接下来：\n"
        "  1. 打开 {folder}/plan.yaml，换成本单位的科室、领导和时限\n"
        "  2. duban check {folder}\n"
        "  3. duban agenda {folder}              看本月到期事项\n"
        "  4. duban simulate {folder} --from {first} --to {last} --out sim\n"
        "                                        演练全年，只写文件，不发信\n"
        "  5. 在 duban.yaml 写明 smtp_host、mail_from，用 duban send-test 邮箱 试发，\n"
        "     然后 duban run {folder}",
    ),
    "db.upgraded": ("{ledger} is at version {version}", "{ledger} 已是版本 {version}"),
    "db.backed.up": ("copied to {dest}, {size} bytes", "已备份到 {dest}，{size} 字节"),
    "db.ledger": ("{ledger}, version {version}", "{ledger}，版本 {version}"),
    "db.not.held": ("{ledger} was not held back", "{ledger} 未被暂停，无需确认"),
    "db.confirmed": (
        "{ledger} goes on as it is; what happened until {until} may be missing in it",
        "{ledger} 按现状继续使用；{until} 以前的部分记录可能缺失",
    ),
    "db.good": ("the ledger is sound", "台账完好"),
    "db.bad": (
        "{count} fault(s): stop the daemon and restore the latest backup",
        "发现 {count} 处损坏：请停止督办程序，恢复最近的备份",
    ),
    "demo.start": (
        "The Quanzhou plan from {start}, {pace}. Letters are written to\n"
        "  {outbox}\nOpen {index} in a browser, and reload it. Ctrl-C ends the demo.",
        "泉州市教育局行动方案，从 {start} 开始，{pace}。函件写入\n"
        "  {outbox}\n可用浏览器打开 {index}，随时刷新。按 Ctrl-C 结束。",
    ),
    "demo.pages": (
        "The board: {board}\nThe outbox: {outbox}\nOpen the board's address first: it lets you in. "
        "Then hand in a report by a letter's\nlink, and watch the wall. The year waits for you "
        "meanwhile.",
        "看板：{board}\n发件箱：{outbox}\n请先打开看板地址（免登录），再从发件箱中任一提醒打开报送页，"
        "交一份材料，看晾晒上的灯变色。\n打开报送页时，演示的时钟会等您。",
    ),
    "demo.port": (
        "Port {usual} is taken; the pages are on {port}.",
        "端口 {usual} 已被占用，改用 {port}。",
    ),
    "demo.pace": ("{seconds:g} s a day", "每 {seconds:g} 秒过一天"),
    "demo.pace.max": ("without pauses", "中间不停顿"),
    "demo.end": (
        "{count} letters until {day}. They are in\n  {index}\nWhy a letter came: "
        "duban explain {key} --plan {plan} --ledger {ledger}",
        "至 {day} 共发函 {count} 封，见\n  {index}\n想知道某函为何而发："
        "duban explain {key} --plan {plan} --ledger {ledger}",
    ),
    "bad.speed": (
        "'{value}' is neither seconds for a day nor 'max'",
        "“{value}”既不是每天的秒数，也不是 max",
    ),
}

TEXTS: Final[dict[str, tuple[str, str]]] = HELP | OUTPUT | HOUSE
"""Every text by its name: English, then Chinese."""


def chinese() -> bool:
    """Whether the user's locale is Chinese (POSIX: the first of these that is set decides)."""
    names = ("LC_ALL", "LC_MESSAGES", "LANG")
    return next((v for n in names if (v := os.environ.get(n))), "").startswith("zh")


def say(name: str, /, **values: Any) -> str:
    """The text of that name in the user's language, with its values filled in."""
    text = TEXTS[name][chinese()]
    return text.format(**values) if values else text


def told(error: Exception) -> str:
    """An error's message in the user's language, as far as it has one in it."""
    return getattr(error, "chinese", str(error)) if chinese() else str(error)
