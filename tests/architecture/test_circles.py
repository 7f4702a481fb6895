"""No module of the product needs, by whatever way, a module that needs it.

Here: circles, seen in the source text. Not here: which layer may import which (``test_imports``). In the product an
import counts wherever it stands, inside a function and for types only as well: a circle that is hidden there is one to
whoever reads. Of tests only what happens while a module is imported counts.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("conversations", "resources", "assets", "orchestration")


def sources(*packages: str) -> dict[str, str]:
    """The text of each module, by its name."""
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path.read_text("utf-8")
        for package in packages
        for path in sorted((ROOT / package).rglob("*.py"))
    }


def needed(texts: Mapping[str, str], *, at_import_only: bool = False) -> dict[str, set[str]]:
    """The modules of ours that each imports; of a package's members those that are modules themselves."""
    found = {}
    for module, text in texts.items():
        tree = ast.parse(text)
        later = {
            id(inner)
            for node in ast.walk(tree)
            if at_import_only and (isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or _is_for_types(node))
            for inner in ast.walk(node)
        }
        names = (name for node in ast.walk(tree) if id(node) not in later for name in _names(node))
        found[module] = {one for name in names if (one := _module(name, texts)) not in (None, module)}
    return found  # type: ignore[return-value]


def _is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _names(node: ast.AST) -> Iterable[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [f"{node.module}.{alias.name}" for alias in node.names]
    return ()


def _module(name: str, known: Mapping[str, str]) -> str | None:
    while name and name not in known:
        name = name.rpartition(".")[0]
    return name or None


def in_circles(needs: Mapping[str, set[str]]) -> set[str]:
    """The modules that are in a circle, or between two: who needs nobody, or is needed by nobody, is taken away until
    all that is left needs and is needed."""
    left = {module: set(others) for module, others in needs.items()}
    while True:
        wanted = set().union(*left.values()) if left else set()
        ends = {module for module, others in left.items() if not others or module not in wanted}
        if not ends:
            return set(left)
        left = {module: others - ends for module, others in left.items() if module not in ends}


def test_no_module_of_the_product_needs_itself_by_way_of_others() -> None:
    assert in_circles(needed(sources(*PRODUCT))) == set()


def test_no_module_is_imported_before_it_is_whole() -> None:
    assert in_circles(needed(sources(*PRODUCT, "tests"), at_import_only=True)) == set()


def test_a_circle_would_be_seen() -> None:
    texts = {
        "a": "import b",
        "b": "from c import one",
        "c.one": "def late():\n    from d import two",
        "c": "",
        "d": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import b",
        "e": "import a",
    }
    assert in_circles(needed(texts)) == {"b", "c.one", "d"}
    assert in_circles(needed(texts, at_import_only=True)) == set()
