"""The daemon's settings: `DUBAN_…` variables over `duban.yaml` over defaults, secrets from files.

pydantic-settings is slow to import: take this module only where settings are needed, not at the
top of the command line. No message made here tells a value: it may be a secret, or hold one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Literal, cast

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from config import yamltext
from config.encoding import decode
from config.settingsmodel import PREFIX, SECRETS, Settings, SettingsError
from config.suggest import did_you_mean, quoted

__all__ = ["Settings", "SettingsError", "load_settings", "settings_table"]

CONFIG_VARIABLE: Final = "DUBAN_CONFIG"
CONFIG_NAME: Final = "duban.yaml"
CREDENTIALS_VARIABLE: Final = "CREDENTIALS_DIRECTORY"

_NO_SETTING: Final = (
    "cannot be understood; a line is 'name: value', with each name once, and with unusual values "
    "in double quotes"
)
_HEADINGS: Final = {
    "en": ("Setting", "Variable", "Default", "Meaning"),
    "zh": ("设置", "环境变量", "默认值", "含义"),
}


def load_settings() -> Settings:
    """The settings of this process: its environment, and `duban.yaml` (or DUBAN_CONFIG).

    Raises SettingsError with everything that is wrong; the command line ends with code 2 then.
    """
    reader = _Reader(os.environ)
    reader.read()
    try:
        settings = Settings(**reader.values)
    except ValidationError as error:
        reader.problems += reader.explained(error)
    if reader.problems:
        raise SettingsError(reader.problems)
    return settings


def settings_table(language: Literal["en", "zh"] = "en") -> str:
    """All settings as a Markdown table, for the README in this language."""
    rows = [_HEADINGS[language], ("---",) * 4]
    rows += [_row(name, field, language) for name, field in Settings.model_fields.items()]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _row(name: str, field: FieldInfo, language: str) -> tuple[str, str, str, str]:
    extra = cast("dict[str, str]", field.json_schema_extra)
    meaning = field.description if language == "en" else extra["zh"]
    default = field.default
    plain = str(default).lower() if isinstance(default, bool) else f"{default}".removesuffix(".0")
    shown = extra["shown_zh" if language == "zh" else "shown"] or f"`{plain}`"
    return f"`{name}`", f"`{_variable(name)}`", str(shown), str(meaning)


def _variable(name: str) -> str:
    return PREFIX + name.upper()


class _Reader:
    """Collects what the files give (`values`), where, and everything that is wrong (`problems`)."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.values: dict[str, Any] = {}
        self.problems: list[str] = []
        self._givers: dict[str, str] = {}
        self._file = environ.get(CONFIG_VARIABLE) or CONFIG_NAME
        self._document = yamltext.Document()

    def read(self) -> None:
        """Check the variables' names; read `duban.yaml`, then the secrets, which outrank it."""
        self.problems += self._unknown_variables()
        self._read_document()
        if isinstance(self._document.value, dict):
            for key, value in self._document.value.items():
                self._take(key, value)
        elif self._document.value is not None:
            self.problems.append(
                f"{self._file}:1:1: must be lines like 'smtp_host: mail.edu.example'"
            )
        for name in SECRETS:
            self._read_secret_of(name)

    def _unknown_variables(self) -> Iterator[str]:
        files = (_variable(f"{name}_file") for name in SECRETS)
        known = [*map(_variable, Settings.model_fields), *files, CONFIG_VARIABLE]
        for name in sorted(self.environ):
            if name.upper().startswith(PREFIX) and name.upper() not in known:
                yield f"{name}: there is no such setting{did_you_mean(name.upper(), known)}"

    def _read_document(self) -> None:
        try:
            data = Path(self._file).read_bytes()
        except FileNotFoundError:
            if self.environ.get(CONFIG_VARIABLE):
                self.problems.append(f"{CONFIG_VARIABLE}: there is no file {quoted(self._file)}")
            return
        except OSError as error:
            self.problems.append(f"{self._file}: cannot be read ({error.strerror})")
            return
        text, found = decode(data, self._file)
        self.problems += [str(problem) for problem in found if problem.severity == "error"]
        if text is not None:
            self._read_text(text)

    def _read_text(self, text: str) -> None:
        document, found = yamltext.read_text(text, self._file)
        # The reader's own messages may quote what stands there, and that may be a password.
        self.problems += [f"{self._file}:{p.line}:{p.column}: {_NO_SETTING}" for p in found]
        self._document = document or self._document

    def _take(self, key: str, value: Any) -> None:
        files = [f"{name}_file" for name in SECRETS]
        known = [*Settings.model_fields, *files]
        secret = key.removesuffix("_file")
        if key not in known:
            message = f"there is no setting {quoted(key)}{did_you_mean(key, known)}"
            self.problems.append(f"{self._place(key)}: {message}")
        elif value is None:
            return
        elif key not in files:
            self.values[key] = value
            self._givers[key] = self._place(key)
        elif self._document.value.get(secret) is not None:
            self.problems.append(f"{self._place(key)}: give {secret} or {key}, not both")
        else:
            self._read_secret(secret, str(value), self._place(key))

    def _read_secret_of(self, name: str) -> None:
        """Take a secret from the file that its variable names, or from systemd's credentials."""
        variable = _variable(f"{name}_file")
        path = self.environ.get(variable)
        if path and self.environ.get(_variable(name)):
            self.problems.append(
                f"{variable}: {_variable(name)} is set as well; set one of the two"
            )
        elif path:
            self._read_secret(name, path, variable)
        elif folder := self.environ.get(CREDENTIALS_VARIABLE):
            credential = Path(folder, f"duban_{name}")
            if credential.exists():
                self._read_secret(name, str(credential), f"the credential {credential.name}")

    def _read_secret(self, name: str, path: str, named_by: str) -> None:
        """Take the file's text without its last line break.

        Its path is not told: by a slip it may be the secret itself.
        """
        try:
            self.values[name] = Path(path).read_text(encoding="utf-8").rstrip("\r\n")
            self._givers[name] = named_by
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            self.problems.append(f"{named_by}: the file that it names cannot be read ({reason})")

    def _place(self, key: str) -> str:
        line, column = self._document.key_place((key,))
        return f"{self._file}:{line}:{column}"

    def explained(self, error: ValidationError) -> Iterator[str]:
        """Each finding in one line: where the value was given, and what it must be."""
        for found in error.errors(include_url=False, include_context=False, include_input=False):
            if found["type"] == "default_factory_not_called":
                continue
            message = found["msg"].removeprefix("Value error, ").replace("Input should", "must")
            if not found["loc"]:
                yield from message.split("\n")
                continue
            name = str(found["loc"][0])
            given = self.environ.get(_variable(name))
            giver = _variable(name) if given else self._givers.get(name, "the default")
            yield f"{giver}: {name} {message}"
