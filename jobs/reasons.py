"""Why a letter does not go, or waits: as the ledger keeps it, and as an office reads it."""

from __future__ import annotations

from typing import Final

CANNOT_BE_WORDED: Final = "cannot be worded: "
"""How the reason of a letter begins that is put off; what was raised follows."""

_WHOLE: Final = {
    "a later rung has come": "后一次提醒已到时间",
    "overtaken by a later rung": "后一次提醒已到时间",
    "the section has not been warned in time": "尚未按规定提前提醒科室，先提醒科室",
    "the deadline has changed": "时限已改",
    "nothing in it is owed any more": "所列事项均已办结",
    "submitted meanwhile": "期间已报送",
    "accepted meanwhile": "期间已核收",
    "exempt meanwhile": "期间已免报",
    "dropped meanwhile": "期间已撤销",
    "withdrawn meanwhile": "期间已撤回",
}
_CAME_BACK: Final = "came back: "
_DAMAGED: Final = {
    "its row in the ledger is damaged": "台账中此函的记录已损坏",
    "a row in the ledger that it needs is damaged": "台账中与此函有关的记录已损坏",
}


def why(reason: str) -> str:
    """A reason in Chinese; what is not ours, such as a server's answer, as it is."""
    if reason.startswith(CANNOT_BE_WORDED):
        what = why(reason.removeprefix(CANNOT_BE_WORDED))
        return f"暂时无法生成，{what}；每小时再试一次，请联系系统管理员"
    if reason.startswith(_CAME_BACK):
        return f"被退回，{reason.removeprefix(_CAME_BACK)}"
    for english, chinese in _DAMAGED.items():
        reason = reason.replace(english, chinese, 1)
    return _WHOLE.get(reason, reason)
