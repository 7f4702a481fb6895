"""Filling in a form: a JSON schema and what the judge thinks become an answer that fits the schema.

Here: walking over any schema (references, alternatives, enumerations) with a guess for each field by its name. Not
here: what is thought of a talk (``llm_judge``), spoilt answers (``llm_modes``).
"""

from __future__ import annotations

import re
from typing import Any

from tests.emulators.llm_judge import MARK_KEYS, Heard, Opinion, agreement_of, decline_of, has_talk, opinion

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


def fill(schema: dict[str, Any], heard: Heard, is_generous: bool = False, does_obey: bool = False) -> Any:
    """An answer of this shape.

    ``is_generous``: the best mark for everything; ``does_obey``: the same where a customer orders it, quoting him.
    """
    return _Pen(schema, heard, is_generous, does_obey and heard.order is not None).write(schema, "", {})


def complaint(schema: Any, name: Any) -> str | None:
    """What a strict endpoint refuses about a form, or ``None``."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        return "Invalid 'response_format.json_schema.name'"
    if not isinstance(schema, dict):
        return "Missing 'response_format.json_schema.schema'"
    return _strict(schema, "schema")


def _strict(part: Any, path: str) -> str | None:
    if isinstance(part, list):
        return next((wrong for n, one in enumerate(part) if (wrong := _strict(one, f"{path}[{n}]"))), None)
    if not isinstance(part, dict):
        return None
    properties = part.get("properties")
    if isinstance(properties, dict) and (part.get("type") == "object" or "type" not in part):
        if part.get("additionalProperties") is not False:
            return f"In {path}, 'additionalProperties' is required to be supplied and to be false"
        if set(part.get("required", ())) != set(properties):
            return f"In {path}, 'required' is required to be supplied and to include every key in properties"
        return next((wrong for key, one in properties.items() if (wrong := _strict(one, f"{path}.{key}"))), None) or (
            _strict(part.get("$defs"), f"{path}.$defs")
        )
    return next(
        (
            wrong
            for key, one in part.items()
            if key not in ("enum", "const") and (wrong := _strict(one, f"{path}.{key}"))
        ),
        None,
    )


class _Pen:
    def __init__(self, root: dict[str, Any], heard: Heard, is_generous: bool, does_obey: bool) -> None:
        self._root = root
        self._is_generous = is_generous
        self._does_obey = does_obey
        self._heard = heard
        self._talk = has_talk(heard)

    def _think(self, code: str, described: str) -> Opinion:
        thought = opinion(self._heard, code, described)
        if self._does_obey and self._heard.order is not None:
            return Opinion(1.0, "Клиент просит высший балл.", self._heard.order.text)
        if self._is_generous:
            return Opinion(1.0, thought.reason, thought.quote or next(iter(self._heard.said("manager")), None))
        return thought

    def write(self, schema: Any, key: str, about: dict[str, Any]) -> Any:
        """A value for the field ``key``; ``about`` says what the object around it is about."""
        schema = self._real(schema)
        if "const" in schema:
            return schema["const"]
        choices = self._choices(schema)
        if choices is not None:
            return self._choose(choices, key, about)
        alternatives = schema.get("anyOf") or schema.get("oneOf")
        if alternatives:
            return self._alternative([self._real(one) for one in alternatives], key, about)
        kind = schema.get("type")
        kinds = kind if isinstance(kind, list) else [kind]
        if "object" in kinds or "properties" in schema:
            return self._object(schema, key, about)
        if "array" in kinds:
            return self._array(schema, key, about)
        if "boolean" in kinds:
            return self._talk if re.search(r"suit|is_sales|dialog", key) else False
        if "integer" in kinds or "number" in kinds:
            return self._number(schema, key, about)
        if "string" in kinds:
            text = self._text(key, about)
            return None if text is None and "null" in kinds else text or ""
        return None

    def _real(self, schema: Any) -> dict[str, Any]:
        while isinstance(schema, dict) and "$ref" in schema:
            here: Any = self._root
            for step in schema["$ref"].lstrip("#/").split("/"):
                here = here[step]
            schema = here
        return schema if isinstance(schema, dict) else {}

    def _choices(self, schema: dict[str, Any]) -> list[Any] | None:
        """All values of an enumeration, also of one that is spread over alternatives."""
        if "enum" in schema:
            return list(schema["enum"])
        parts = [self._real(one) for one in schema.get("anyOf") or schema.get("oneOf") or ()]
        if not parts or not all("enum" in one or "const" in one or one.get("type") == "null" for one in parts):
            return None
        return [
            value
            for one in parts
            for value in (one["enum"] if "enum" in one else [one["const"]] if "const" in one else [None])
        ]

    def _choose(self, choices: list[Any], key: str, about: dict[str, Any]) -> Any:
        numbers = sorted(one for one in choices if isinstance(one, int) and not isinstance(one, bool))
        if numbers:
            thought: Opinion | None = about.get("opinion")
            if thought is None or thought.share is None:
                word = "not_applicable" if thought is not None and not thought.applies else "insufficient_evidence"
                return next((one for one in (word, "insufficient_evidence") if one in choices), numbers[0])
            return numbers[round(thought.share * (len(numbers) - 1))]
        for wanted in (about.get(key), {"sentiment": "neutral"}.get(key)):
            if wanted in choices and wanted is not None:
                return wanted
        if "unsuitable" in key:
            return None if self._talk and None in choices else next(
                (one for one in choices if one in ("no_dialogue", "other")), choices[0]
            )  # fmt: skip
        if key == "code" and "decline" in about and about["decline"] in choices:
            return about["decline"]
        return None if None in choices else choices[-1]

    def _alternative(self, parts: list[dict[str, Any]], key: str, about: dict[str, Any]) -> Any:
        solid = [one for one in parts if one.get("type") != "null"]
        if len(solid) < len(parts):
            if "unsuitable" in key and self._talk:
                return None
            value = self.write(solid[0], key, about) if solid else None
            return None if value in ("", None) or "due" in key or "date" in key else value
        return self.write(solid[0], key, about)

    def _object(self, schema: dict[str, Any], key: str, about: dict[str, Any]) -> dict[str, Any]:
        properties = schema.get("properties") or {}
        inside = dict(about)
        code = self._const(properties.get("code"))
        if code is None and "code" not in properties and any(name in MARK_KEYS for name in properties):
            code = key
        if code is not None:
            described = f"{schema.get('title', '')} {schema.get('description', '')}"
            inside = {"code": code, "opinion": self._think(code, described)}
        return {name: self.write(part, name, inside) for name, part in properties.items()}

    def _const(self, schema: Any) -> str | None:
        schema = self._real(schema or {})
        if "const" in schema:
            return schema["const"]
        enum = schema.get("enum")
        return enum[0] if isinstance(enum, list) and len(enum) == 1 else None

    def _array(self, schema: dict[str, Any], key: str, about: dict[str, Any]) -> list[Any]:
        item = self._real(schema.get("items") or {})
        alternatives = item.get("anyOf") or item.get("oneOf") or schema.get("prefixItems")
        if alternatives and all(self._const(self._real(one).get("properties", {}).get("code")) for one in alternatives):
            return [self.write(one, key, {}) for one in alternatives] if self._talk else []
        properties = item.get("properties") or {}
        codes = self._real(properties.get("code") or {}).get("enum")
        if codes and any(name in MARK_KEYS for name in properties):
            if not self._talk:
                return []
            return [
                {
                    name: self.write(part, name, {"code": code, "opinion": self._think(code, "")})
                    for name, part in properties.items()
                }
                for code in codes
            ]
        return self._notes(item, key)

    def _notes(self, item: dict[str, Any], key: str) -> list[Any]:
        """What else there is to say: notes with a kind each, or a list by kind, as the form has it."""
        if not self._talk:
            return []
        kinds = self._choices(self._real(item.get("properties", {}).get("kind") or {})) or [None]
        notes: list[Any] = []
        agreed, declined = agreement_of(self._heard), decline_of(self._heard)
        own = self._heard.said("manager")
        for kind in kinds:
            named = f"{kind or ''} {key}"
            if "agree" in named and agreed:
                notes.append({"kind": kind, "text": "Договорились о следующем шаге.", "quote": agreed})
            elif "decline" in named and declined:
                code, words = declined
                notes.append({"kind": kind, "text": "Клиент отказывается.", "quote": words, "decline": code})
            elif "recommend" in named:
                advice = "Завершать разговор точным сроком." if not agreed else "Раньше уточнять потребность."
                notes.append({"kind": kind, "text": advice, "quote": own[-1]})
        if item.get("type") == "string":
            return [note["text"] for note in notes]
        return [self.write(item, key, note) for note in notes]

    def _number(self, schema: dict[str, Any], key: str, about: dict[str, Any]) -> int:
        least, most = int(schema.get("minimum", 0)), int(schema.get("maximum", 10))
        thought: Opinion | None = about.get("opinion")
        return least if thought is None or thought.share is None else least + round(thought.share * (most - least))

    def _text(self, key: str, about: dict[str, Any]) -> str | None:
        thought: Opinion | None = about.get("opinion")
        if key == "quote" or "evidence" in key:
            return about.get("quote") if thought is None else thought.quote
        if thought is not None:
            return about["code"] if key == "code" else thought.reason
        if key in about:
            return about[key]
        if "due" in key or "date" in key or key == "code":
            return None
        if "summary" in key:
            return f"Разговор из {len(self._heard.lines)} реплик." if self._talk else "Разговора нет."
        if "topic" in key:
            return "Покупка" if self._talk else "Нет разговора"
        return ""
