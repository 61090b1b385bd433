"""The JSON Schemas (draft 2020-12) of a plan's files, for editors that complete and check YAML.

`python -m config.schema` writes them anew. The loader is stricter: it knows names and dates.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from config.model import OverridesFile, PlanFile

FILES: Final[dict[str, type[BaseModel]]] = {
    "plan.schema.json": PlanFile,
    "overrides.schema.json": OverridesFile,
}
_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def export() -> dict[str, str]:
    """The text of each schema by the name of its file in this folder."""
    return {name: _text(model) for name, model in FILES.items()}


def write(folder: Path) -> None:
    """Write the schemas into `folder`."""
    for name, text in export().items():
        (folder / name).write_text(text, encoding="utf-8")


def _text(model: type[BaseModel]) -> str:
    schema = {"$schema": _DIALECT, **model.model_json_schema(by_alias=True)}
    return json.dumps(_emptiable(schema), ensure_ascii=False, indent=2) + "\n"


def _emptiable(schema: dict[str, Any]) -> dict[str, Any]:
    """Let a list of the file be empty: `overrides:` with nothing behind it is read as none."""
    required = schema.get("required", [])
    for name, part in schema["properties"].items():
        if name not in required and part.get("type") in ("array", "object"):
            part["type"] = [part["type"], "null"]
    return schema


if __name__ == "__main__":
    write(Path(__file__).parent)
