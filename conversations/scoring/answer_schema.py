"""The form of an answer: Pydantic models made out of a rubric, and the strict JSON schema that a model is given.

Here: fields and their values. Not here: reading a text (``answer``). Every field is required and no other is allowed;
the marks of each criterion are an enumeration of its own, so that the schema alone refuses a mark outside the scale, a
missing criterion and an invented one.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, create_model

from conversations.scoring.shapes import Criterion, Rubric, Sentiment, Unsuitable

SCHEMA_NAME: Final = "talk_review"
DeclineCode = Literal["price", "delivery", "assortment", "competitor", "timing", "trust", "no_need", "other"]
DECLINE_CODES: Final[tuple[str, ...]] = get_args(DeclineCode)
_NO_PART_OF_IT: Final = ("title", "description", "default")
_DATE: Final = r"^\d{4}-\d{2}-\d{2}$"


class Part(BaseModel):
    """What all parts of an answer share: strict types, nothing beyond the fields."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Recommendation(Part):
    text: str
    quote: str | None


class Agreement(Part):
    text: str
    due: str | None = Field(pattern=_DATE)
    quote: str | None


class DeclineReason(Part):
    code: DeclineCode
    text: str
    quote: str | None


class Verdict(Part):
    """Everything but the criteria."""

    is_suitable: bool
    unsuitable_reason: Unsuitable | None
    summary: str
    topic: str
    sentiment: Sentiment
    recommendations: tuple[Recommendation, ...]
    agreements: tuple[Agreement, ...]
    decline_reasons: tuple[DeclineReason, ...]


def model_of(rubric: Rubric) -> type[BaseModel]:
    """The model of a whole answer by a rubric."""
    return _model(rubric.criteria)


def schema_of(rubric: Rubric) -> dict[str, Any]:
    """The JSON schema of an answer: strict, without references, the same for equal criteria. The caller's own copy."""
    return json.loads(schema_text(rubric.criteria))


@lru_cache(maxsize=64)
def shared_schema(criteria: tuple[Criterion, ...]) -> dict[str, Any]:
    """The same for all questions of a rubric, one object: to be read only."""
    return json.loads(schema_text(criteria))


@lru_cache(maxsize=64)
def schema_text(criteria: tuple[Criterion, ...]) -> str:
    """The same as text."""
    # making it took half of the time of preparing a question (measured), and a day of talks has one rubric
    return json.dumps(_plain(_model(criteria).model_json_schema()), ensure_ascii=False)


@lru_cache(maxsize=64)
def _model(criteria: tuple[Criterion, ...]) -> type[BaseModel]:
    # reason and quote stand before the mark: a model that writes from left to right gives grounds first
    marks: Any = create_model(
        "Criteria",
        __base__=Part,
        # names of their own: a code may be what a model calls one of its methods ("copy")
        **{
            f"c{place}": (_mark(criterion.best, criterion.may_not_apply), Field(alias=criterion.code))
            for place, criterion in enumerate(criteria)
        },
    )
    fields = {name: (field.annotation, field) for name, field in Verdict.model_fields.items()}
    first = {name: fields.pop(name) for name in ("is_suitable", "unsuitable_reason", "summary", "topic", "sentiment")}
    return create_model("Answer", __base__=Part, **first, criteria=(marks, ...), **fields)


@lru_cache(maxsize=64)
def _mark(best: int, may_not_apply: bool) -> type[BaseModel]:
    words: Any = (
        Literal["not_applicable", "insufficient_evidence"] if may_not_apply else Literal["insufficient_evidence"]
    )
    score: Any = Literal[tuple(range(best + 1))]
    score = Annotated[score | words, BeforeValidator(_no_flag)]
    return create_model("Mark", __base__=Part, reason=(str, ...), quote=(str | None, ...), score=(score, ...))


def _no_flag(value: Any) -> Any:
    """``true`` is no mark, though it equals 1."""
    return None if isinstance(value, bool) else value


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    """No references, titles and descriptions, single values as enumerations: what every gateway understands."""
    definitions = schema.pop("$defs", {})

    def walk(node: Any) -> Any:
        if isinstance(node, list):
            return [walk(each) for each in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            return walk(definitions[node["$ref"].rpartition("/")[2]])
        node = {name: value for name, value in node.items() if name not in _NO_PART_OF_IT}
        if "const" in node:
            node["enum"] = [node.pop("const")]
        if "properties" in node:
            node["properties"] = {name: walk(value) for name, value in node["properties"].items()}
        return {name: value if name == "properties" else walk(value) for name, value in node.items()}

    return walk(schema)
