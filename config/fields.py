"""The types of single values in a plan: how each is read, and what a schema says of it."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, GetJsonSchemaHandler, WithJsonSchema
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from config.scalars import (
    check_email,
    check_id,
    check_line,
    parse_date,
    parse_hours,
    parse_instant,
    parse_month,
    parse_month_day,
    parse_time,
    parse_truth,
)


def _written(pattern: str, *others: str, **more: Any) -> WithJsonSchema:
    """What a schema says of a text that is read here: its pattern, or another plain type."""
    return WithJsonSchema({"type": ["string", *others], "pattern": pattern, **more})


_DAY = r"^\d{4}-\d{2}-\d{2}$"
_CLOCK = r"\d{1,2}[:：]\d{2}"

Line = Annotated[
    str,
    Field(min_length=1, max_length=1000),
    AfterValidator(check_line),
    # `title: 2023` is text here, but a number to an editor.
    _written(r"^[^\r\n]*\S[^\r\n]*$", "number", "boolean"),
]
"""One line of text: no control characters, so that it may stand in a mail header."""
Name = Line
Id = Annotated[
    str, AfterValidator(check_id), _written(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", "number")
]
Email = Annotated[str, AfterValidator(check_email), _written(r"^[^@\s]+@[^@\s]+$", format="email")]
Day = Annotated[date, BeforeValidator(parse_date), _written(_DAY, examples=["2023-03-25"])]
Month = Annotated[
    str, BeforeValidator(parse_month), _written(r"^\d{4}-\d{2}$", examples=["2023-03"])
]
MonthDay = Annotated[
    str, BeforeValidator(parse_month_day), _written(r"^\d{2}-\d{2}$", examples=["03-25"])
]
WallTime = Annotated[time, BeforeValidator(parse_time), _written(f"^{_CLOCK}$", examples=["17:30"])]
Hours = Annotated[
    tuple[time, time],
    BeforeValidator(parse_hours),
    _written(rf"^{_CLOCK}\s*[-–—~至]\s*{_CLOCK}$", examples=["08:00-18:00"]),
]
Instant = Annotated[
    date | datetime,
    BeforeValidator(parse_instant),
    _written(r"^\d{4}-\d{2}-\d{2}([ T]\d{1,2}:\d{2}.*)?$", examples=["2023-03-28 12:00"]),
]
Truth = Annotated[bool, Field(strict=True), BeforeValidator(parse_truth)]
"""`true` or `false`; nothing else is guessed to be one of them."""
WorkingDays = Annotated[int, Field(ge=0, le=250)]


def listed(value: Any) -> Any:
    """A single text as the list of it."""
    return [value] if isinstance(value, str) else value


class OneOrMore:
    """In a list's schema: a single value may stand for the list of it."""

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """The schema of one entry, or of the list."""
        many = handler(schema)
        return {"anyOf": [many["items"], many]}


Notes = Annotated[tuple[Line, ...], BeforeValidator(listed), OneOrMore()]
Names = Annotated[tuple[Name, ...], BeforeValidator(listed), OneOrMore()]
