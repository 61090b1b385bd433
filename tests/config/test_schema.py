"""The schemas for editors: fresh, valid, and in agreement with the loader on sound plans."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from config import schema
from config.schema import export, write
from tests.support.small_plan import OVERRIDES, PLAN, changed

ROOM = Path(schema.__file__).parent


class _EditorLoader(yaml.SafeLoader):
    """YAML as editors read it: numbers and truth values guessed, dates left as text."""


_EditorLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in known if not tag.endswith(":timestamp")]
    for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _findings(name: str, text: str) -> list[str]:
    validator = jsonschema.Draft202012Validator(json.loads(export()[name]))
    value: Any = yaml.load(text, _EditorLoader)  # noqa: S506 - a SafeLoader
    return [e.json_path for e in validator.iter_errors(value)]


@pytest.mark.parametrize("name", export())
def test_the_committed_schemas_are_fresh(name: str, tmp_path: Path) -> None:
    write(tmp_path)
    made = (tmp_path / name).read_text("utf-8")
    assert (ROOM / name).read_text("utf-8") == made, "run python -m config.schema"


@pytest.mark.parametrize("name", export())
def test_the_schemas_are_schemas(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(export()[name]))


def test_sound_plans_are_sound_to_an_editor() -> None:
    real = (ROOM / "quanzhou-2023" / "plan.yaml").read_text("utf-8")
    assert _findings("plan.schema.json", PLAN) == []
    assert _findings("plan.schema.json", real) == []
    assert _findings("overrides.schema.json", OVERRIDES) == []


def test_a_year_may_be_a_number_to_an_editor() -> None:
    text = changed("period: 2023-03", "period: 2023", OVERRIDES)
    assert _findings("overrides.schema.json", text) == []


def test_an_editor_marks_a_misspelt_key_and_a_bad_date() -> None:
    text = changed("starts: 2023-02-01", "starts: 2023.2.1\n  titel: x")
    assert sorted(_findings("plan.schema.json", text)) == ["$.plan", "$.plan.starts"]
