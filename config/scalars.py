"""How one written value becomes a date, a time, an address: strict, and with messages that help."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

# ASCII digits only: a full-width 2023-03 would pass, and then compare and print wrongly.
_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)
_TIME = re.compile(r"(\d{1,2})[:：](\d{2})", re.ASCII)
_EMAIL = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?=.{1,255}$)"
    r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)+"
)
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
_TRUTH = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}


def check_line(value: str) -> str:
    """Refuse control characters (RFC 5322 2.2: a header is one line) and blank text."""
    if _CONTROL.search(value):
        raise ValueError("must be one line, without line breaks or control characters")
    if not value.strip():
        raise ValueError("must not be blank")
    return value


def check_id(value: str) -> str:
    """Refuse what cannot stand in a key: an id is letters, digits, '.', '_' and '-'."""
    if not _ID.fullmatch(value):
        raise ValueError("an id is 1 to 64 letters, digits, '.', '_' or '-' (a-z, 0-9)")
    return value


def check_email(value: str) -> str:
    """Refuse all but one plain ASCII address (RFC 5321 4.1.2, without quoted local parts)."""
    if any(c in value for c in ",;，；") or value.count("@") > 1:
        raise ValueError("must be one address; give each recipient an entry of their own")
    local = value.partition("@")[0]
    if not _EMAIL.fullmatch(value) or ".." in local or local[0] == "." or local[-1] == ".":
        raise ValueError("is not a mail address like caiwu@edu.example")
    return value


def check_zone(value: str) -> str:
    """Refuse a time zone that the system does not know."""
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError("is not a time zone like Asia/Shanghai") from error
    return value


def parse_truth(value: Any) -> Any:
    """`true` or `false`, as YAML 1.2 (10.3.2) writes them; `on`, `yes` and `1` are refused."""
    if not isinstance(value, str):
        return value
    if value not in _TRUTH:
        raise ValueError("is not true or false")
    return _TRUTH[value]


def parse_date(value: Any) -> Any:
    """`2023-03-25` as a date; anything else that is text is refused."""
    if not isinstance(value, str):
        return value
    match = _DATE.fullmatch(value)
    if not match:
        raise ValueError("is not a date like 2023-03-25")
    try:
        return date(*(int(g) for g in match.groups()))
    except ValueError as error:
        raise ValueError(f"is not a day of the calendar ({error})") from error


def parse_month(value: Any) -> Any:
    """`2023-03`, checked."""
    if isinstance(value, str):
        if not re.fullmatch(r"\d{4}-\d{2}", value, re.ASCII):
            raise ValueError("is not a month like 2023-03")
        parse_date(f"{value}-01")
    return value


def parse_month_day(value: Any) -> Any:
    """`03-25`, checked against a leap year."""
    if isinstance(value, str):
        if not re.fullmatch(r"\d{2}-\d{2}", value, re.ASCII):
            raise ValueError("is not a day of the year like 03-25")
        parse_date(f"2024-{value}")
    return value


def parse_time(value: Any) -> Any:
    """`9:30` or `17:30` as a time of day."""
    if not isinstance(value, str):
        return value
    match = _TIME.fullmatch(value)
    if not match or int(match[1]) > 23 or int(match[2]) > 59:
        raise ValueError("is not a time of day like 09:00")
    return time(int(match[1]), int(match[2]))


def parse_hours(value: Any) -> Any:
    """`08:00-18:00` as two times, the first before the second."""
    if not isinstance(value, str):
        return value
    parts = re.split(r"\s*[-–—~至]\s*", value)
    if len(parts) != 2:
        raise ValueError("are not hours like 08:00-18:00")
    opens, closes = parse_time(parts[0]), parse_time(parts[1])
    if opens >= closes:
        raise ValueError("must begin before they end")
    return opens, closes


def parse_instant(value: Any) -> Any:
    """`2023-03-28` as a date, `2023-03-28 12:00` as a wall-clock time, or RFC 3339."""
    if not isinstance(value, str):
        return value
    day, _, clock = value.replace("T", " ").partition(" ")
    if not clock:
        return parse_date(day)
    parse_date(day)
    try:
        return datetime.fromisoformat(f"{day}T{clock:0>5}")
    except ValueError as error:
        raise ValueError("is not a time like 2023-03-28 12:00") from error
