"""The help of every command and option, in English and in Chinese.

A `\\b` line keeps click from joining the lines of the paragraph behind it. Chinese lines are broken
here, for click counts characters where a terminal counts columns.
"""

from __future__ import annotations

from typing import Final

HELP: Final[dict[str, tuple[str, str]]] = {
    "duban": (
        "duban: nothing on the plan is forgotten.\n\nReminds every section before its deadlines, "
        "takes the reports back, tells the leading official what is overdue.",
        "\b\n督办：列入行动方案的事，一件不漏。\n到期前提醒科室，收取报送，逾期报告分管领导。",
    ),
    "opt.usage": ("Usage:", "用法:"),
    "opt.options": ("Options", "选项"),
    "opt.commands": ("Commands", "命令"),
    "opt.help": ("Show this text and exit.", "显示本说明。"),
    "opt.version": ("Show the version and exit.", "显示版本。"),
    "opt.json": ("Print one JSON document.", "输出一份 JSON。"),
    "opt.plan": (
        "The plan's folder; else the present one, or the only one below it.",
        "行动方案的文件夹；不写则用当前文件夹或其中唯一一份",
    ),
    "opt.plans": ("Only this plan (may be repeated).", "只看这份行动方案（可重复）"),
    "opt.by": ("Who does it; else the login name.", "经办人；不写则用登录名"),
    "opt.from": ("First day, as 2023-03-01.", "起始日，如 2023-03-01"),
    "opt.to": ("Last day, included.", "截止日（含当日）"),
    "opt.section": ("Only this section, by any of its names.", "只看这个科室（简称、全称均可）"),
    "opt.sim.from": ("The day on which the history begins.", "从这一天零时开始"),
    "opt.sim.to": ("The day at whose end it ends.", "到这一天结束时为止"),
    "opt.script": (
        "What people do, as JSON lines (see the README).",
        "各方的举动，每行一个 JSON（见 README）",
    ),
    "opt.out": (
        "Folder for letters.jsonl, mail/ and ledger.sqlite; else only the summary.",
        "结果文件夹；不写则只显示汇总",
    ),
    "opt.templates": ("Folder of your own letter templates.", "本单位自己的函件模板文件夹"),
    "opt.note": ("A remark for the ledger.", "写入台账的备注"),
    "opt.reason": ("Why; those concerned will read it.", "理由（将写入函件）"),
    "opt.new.deadline": (
        "The new time limit, as 2023-03-28 or '2023-03-28 12:00'.",
        "新的时限，如 2023-03-28 或 '2023-03-28 12:00'",
    ),
    "opt.deadline": (
        "The new deadline, as 2023-03-28 or '2023-03-28 12:00'.",
        "改后的时限，如 2023-03-28 或 '2023-03-28 12:00'",
    ),
    "opt.reassign": ("The section that takes it over.", "改由哪个科室承办"),
    "opt.ledger": (
        "A ledger's file, such as a simulation's; else that of the settings.",
        "台账文件（如演练所得）；不写则用设置中的台账",
    ),
    "opt.demo.speed": (
        "Seconds for one day, or 'max' for no pauses (default 1.5).",
        "一天用几秒；max 为不停顿（默认 1.5）",
    ),
    "opt.demo.days": ("End after so many days.", "过这么多天就结束"),
    "opt.demo.out": ("Folder for the demo (default duban-demo).", "演示文件夹（默认 duban-demo）"),
    "opt.demo.once": (
        "Go through without pauses to the first day with letters, and end.",
        "不停顿，到第一个有函的日子为止",
    ),
    "init": (
        "Write a first plan into DIR: small, explained line by line, and valid as it stands.",
        "\b\n在 DIR 新建一份行动方案：篇幅短小，逐行说明，可直接使用。",
    ),
    "init.short": ("Write a first plan.", "新建一份行动方案"),
    "check": (
        "Check the plan in the folder PLAN.\n\nPrints every problem as file:line:column: message: "
        "errors, warnings, and what the office has to confirm. Ends with 1 if there is an error.",
        "\b\n检查文件夹 PLAN 中的行动方案。\n"
        "按“文件:行:列: 内容”列出错误、注意事项和待核定的事；有错误时以 1 结束。",
    ),
    "check.short": ("Check a plan.", "检查行动方案"),
    "agenda": (
        "List what is due from one day to another, and when it will be spoken of.\n\n"
        "Without days: this month.",
        "\b\n列出一段时间内到期的事项和各次提醒的日子。不写日期则为本月。",
    ),
    "agenda.short": ("What is due, and when.", "到期事项一览"),
    "simulate": (
        "Live through a stretch of time in seconds: the real jobs, ledger and letters under a "
        "virtual clock. Nothing is sent.",
        "\b\n用虚拟时钟演练一段时间：规则、台账、函件都是真的，只是不发信。",
    ),
    "simulate.short": ("A year in seconds, nothing sent.", "演练：几秒过一年，不发信"),
    "demo": (
        "Watch the year of a city's education bureau happen: no server, no settings.",
        "\b\n观看一个市教育局的一年：不需要服务器，不需要设置。",
    ),
    "demo.short": ("Watch a year happen.", "演示：观看一年的督办"),
    "run": (
        "Run the daemon on one or more plans until it is told to stop (SIGTERM, Ctrl-C).",
        "\b\n对一份或几份行动方案持续督办，直至收到停止信号（SIGTERM 或 Ctrl-C）。",
    ),
    "run.short": ("Run the daemon.", "启动督办程序"),
    "status": (
        "How the plans stand, which letters wait or failed, whether the daemon lives.",
        "\b\n各行动方案的进展、未送达的函、督办程序是否在运行。",
    ),
    "status.short": ("How things stand.", "查看进展"),
    "explain": (
        "Why was this mail sent, and why then?\n\nThe whole way of the obligation KEY, such as "
        "monthly/2023-06/财务科: rule, calendar, decisions, reminders, the mail server's answers, "
        "reports. In Chinese, like the letters. Without a ledger: what would be sent when.",
        "\b\n为什么会收到这封函，为什么是那一天？\n"
        "列出一件应办事项的来龙去脉：规则、日历、临时决定、各次提醒、\n"
        "邮件服务器的答复、报送。KEY 如 monthly/2023-06/财务科。\n"
        "没有台账时，列出将在何时发什么函。",
    ),
    "explain.short": ("Why a mail was sent.", "说明某函为何而发"),
    "inbox": (
        "What the mailbox brought that no rule decides: look at it, say what it hands in, or "
        "dismiss it.",
        "\b\n回复邮件中无法自动登记的：查看、归入某一事项，或排除。",
    ),
    "inbox.short": ("Mail that waits for the office.", "待处理的来信"),
    "inbox.list": (
        "Lists the mail that waits for the office, each with its number and why.",
        "列出待处理的邮件：编号和原因。",
    ),
    "inbox.list.short": ("List what waits.", "列出待处理邮件"),
    "inbox.show": (
        "Shows one mail: the sender's own words, its files, and where its bytes are kept.",
        "显示一封邮件：正文、附件和原件存放处。",
    ),
    "inbox.show.short": ("Show one mail.", "查看一封邮件"),
    "inbox.assign": (
        "Records that the mail NUMBER hands in KEY: at the hour when it arrived, with its files. "
        "The section gets its receipt.",
        "\b\n把编号为 NUMBER 的邮件登记为 KEY 的报送，时间按来信时间，"
        "\n附件一并归入；科室会收到回执。",
    ),
    "inbox.assign.short": ("Say what a mail hands in.", "归入某一事项"),
    "inbox.dismiss": (
        "Records that a mail hands nothing in.",
        "记明该邮件不是报送。",
    ),
    "inbox.dismiss.short": ("Say that a mail hands nothing in.", "排除一封邮件"),
    "inbox.works": (
        "Says that an address works whose letters came back.",
        "记明曾退信的地址已能收信。",
    ),
    "inbox.works.short": ("Say that an address works again.", "地址已恢复"),
    "inbox.test": (
        "Connects, logs in and opens the folder; reads nothing and changes nothing.",
        "连接、登录并打开邮箱文件夹；不读取，也不改动。",
    ),
    "inbox.test.short": ("Try the mailbox.", "测试收件邮箱"),
    "opt.every.mail": ("All mail that was read.", "所有读过的邮件"),
    "submit": (
        "Record that a section has handed in KEY. Its reminders stop at once.",
        "\b\n登记科室已报送 KEY；提醒随即停止。",
    ),
    "submit.short": ("A section has handed in.", "登记报送"),
    "accept": (
        "The office accepts what was handed in for KEY, or records that it has the report.",
        "\b\n办公室核收 KEY 的报送，或直接登记已收到。",
    ),
    "accept.short": ("The office accepts a report.", "核收报送"),
    "return": (
        "The office returns what was handed in for KEY (退回); the section is told why.",
        "\b\n办公室退回 KEY 的报送，并告知科室原因。",
    ),
    "return.short": ("The office returns a report.", "退回报送"),
    "withdraw": (
        "Take back what was handed in for KEY, while the office has not decided; reminders go on.",
        "\b\n撤回 KEY 的报送（办公室核收之前）；提醒照常。",
    ),
    "withdraw.short": ("Take back a report.", "撤回报送"),
    "opt.files": ("A file that comes with it (may be repeated).", "随附的文件（可重复）"),
    "extensions": (
        "Sections ask for more time through the links in their letters; the office answers.",
        "\b\n科室通过函中的链接申请延期，由办公室答复。",
    ),
    "extensions.short": ("Requests for more time.", "延期申请"),
    "extensions.list": ("List the requests that wait.", "列出等待答复的申请。"),
    "extensions.list.short": ("What waits.", "列出"),
    "extensions.grant": (
        "Grant the request about KEY: the new deadline is written into overrides.yaml, and the "
        "section is told.",
        "\b\n同意 KEY 的延期申请：新的时限写入 overrides.yaml，并发函告知科室。",
    ),
    "extensions.grant.short": ("Grant one.", "同意"),
    "extensions.refuse": (
        "Refuse the request about KEY; the section is told why.",
        "\b\n不同意 KEY 的延期申请，并发函告知科室原因。",
    ),
    "extensions.refuse.short": ("Refuse one.", "不同意"),
    "opt.granted": (
        "The new deadline; else the day that was asked for.",
        "新的时限；不写则按申请的日期",
    ),
    "archive": ("What the sections handed in.", "\b\n科室报送的材料。"),
    "archive.short": ("What was handed in.", "报送材料"),
    "archive.export": (
        "Copy the files handed in for PLAN into folders by period and section, with an index "
        "(index.html, index.csv). Ends with 1 if a file is missing or damaged.",
        "\b\n把 PLAN 的报送材料按时期、科室整理到文件夹中，附目录\n"
        "（index.html、index.csv）；有文件缺失或损坏时以 1 结束。",
    ),
    "archive.export.short": ("Copy it into folders.", "整理归档"),
    "opt.export.out": ("The folder; a new one, or one of an earlier export.", "归档文件夹"),
    "opt.periods": (
        "Only this period, as 2023 or 2023-03 (may be repeated).",
        "只整理这个时期，如 2023、2023-03（可重复）",
    ),
    "exempt.help": (
        "Exempt KEY (or ITEM/PERIOD for all its sections), in overrides.yaml.",
        "\b\n免报 KEY（写 ITEM/PERIOD 则该期全体免报），记入 overrides.yaml。",
    ),
    "exempt.short": ("Nothing is owed.", "免报"),
    "override": (
        "Give KEY (or ITEM/PERIOD for all its sections) another deadline, or another section, "
        "in overrides.yaml.",
        "\b\n为 KEY（写 ITEM/PERIOD 则该期全体）改时限或改派，记入 overrides.yaml。",
    ),
    "override.short": ("Another deadline or section.", "改时限、改派"),
    "send-test": (
        "Send one test letter to ADDRESS by the settings, and show the mail server's answer.",
        "\b\n按现有设置向 ADDRESS 发一封测试函，显示邮件服务器的答复。",
    ),
    "send-test.short": ("Send a test letter.", "试发一封"),
    "db": ("Look after the ledger's database.", "\b\n维护台账数据库。"),
    "db.short": ("Look after the ledger.", "维护台账"),
    "db.upgrade": ("Make the ledger, or bring it to this version.", "建立台账，或升级到本版本。"),
    "db.upgrade.short": ("Bring it to this version.", "升级"),
    "db.backup": (
        "Copy the ledger to the file DEST while it is in use.",
        "\b\n把使用中的台账完整备份到文件 DEST。",
    ),
    "db.backup.short": ("Copy it while in use.", "备份"),
    "db.confirm": (
        "Let the daemon go on with a ledger that it holds back: an older copy, or another one. "
        "What went out since is not known to it and may be sent again.",
        "确认使用被暂停的台账（旧备份或另一份台账）。其后发出的函件台账中没有记录，可能重发。",
    ),
    "db.confirm.short": ("Accept an older copy.", "确认使用旧台账"),
    "db.check": ("Check the ledger and count what it holds.", "检查台账是否完好并计数。"),
    "db.check.short": ("Check it.", "检查"),
    "completion": (
        "Print the lines that teach a shell to complete commands and keys.\n\n"
        "\b\nbash: duban completion bash >> ~/.bashrc\n"
        "zsh:  duban completion zsh >> ~/.zshrc\n"
        "fish: duban completion fish > ~/.config/fish/completions/duban.fish",
        "\b\n输出让 shell 补全命令和编号的脚本：\n"
        "bash: duban completion bash >> ~/.bashrc\n"
        "zsh:  duban completion zsh >> ~/.zshrc\n"
        "fish: duban completion fish > ~/.config/fish/completions/duban.fish",
    ),
    "completion.short": ("Shell completion.", "命令补全"),
}
