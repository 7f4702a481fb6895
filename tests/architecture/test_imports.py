"""Imports run one way, seen in the source text: a forbidden import inside a function is one, too.

And in no circle. Of the product an import counts wherever it stands, inside a function and for types only as well: a
circle that is hidden there is one to whoever reads. Of tests counts what happens while a module is imported.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Container, Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OURS = ("conversations", "resources", "assets", "orchestration", "desk", "tests")
HEAVY = (
    "great_expectations", "pandas", "numpy", "scipy", "statsmodels", "polars", "litellm", "googleapiclient",
    "matplotlib", "dbt", "pymorphy3", "openpyxl", "duckdb", "re2",
)  # fmt: skip
PURE_EXTRAS = {"jinja2", "numpy", "orjson", "phonenumbers", "pydantic", "pymorphy3", "re2", "scipy", "yaml"}

# who may import whom; the longest name that fits a module decides
ALLOWED = {
    "conversations": {"conversations"},
    # what is declared private holds for every client of the process, so the settings tell it when they are read
    "resources.settings": {"resources.settings", "resources.clients.private"},
    "resources.clients": {"conversations", "resources.clients"},
    "resources.sources": {"conversations", "resources.clients", "resources.sources"},
    "resources.vault": {"resources.settings", "resources.clients", "resources.warehouse.errors"},
    "resources.warehouse": {
        "conversations", "resources.settings", "resources.clients", "resources.vault", "resources.warehouse",
    },
    "resources": {"conversations", "resources"},
    "assets": {"conversations", "resources", "assets"},
    "orchestration": {"conversations", "resources", "assets", "orchestration"},
    "desk": {
        "conversations", "resources.settings", "resources.clients", "resources.sources", "resources.warehouse", "desk",
    },
    "tests.emulators": {"tests.emulators"},
    "tests": {"conversations", "resources", "assets", "orchestration", "desk", "tests"},
}  # fmt: skip
WITHOUT_DAGSTER = (
    "conversations", "resources.clients", "resources.sources", "resources.warehouse", "resources.settings",
    "resources.vault", "resources.accounts", "resources.llm", "resources.scoring", "desk",
)  # fmt: skip


def _modules() -> Iterator[tuple[str, Path]]:
    for package in OURS:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"), path


MODULES = list(_modules())


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Every imported module with whether that happens while the module itself is imported."""
    waiting: list[tuple[ast.AST, bool]] = [(_tree(path), True)]
    while waiting:
        node, is_at_import = waiting.pop()
        if isinstance(node, ast.Import):
            yield from ((alias.name, is_at_import) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide who imports whom"
            for alias in node.names:
                yield f"{node.module}.{alias.name}", is_at_import
        elif not isinstance(node, ast.expr):
            # no expression holds an import
            is_lazy = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or _is_for_types(node)
            waiting += ((inner, is_at_import and not is_lazy) for inner in ast.iter_child_nodes(node))


def _is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _fits(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(f"{prefix}.")


def _rule(module: str) -> set[str]:
    return ALLOWED[max((name for name in ALLOWED if _fits(module, name)), key=len)]


@pytest.mark.parametrize("package", OURS)
def test_imports_run_one_way(package: str) -> None:
    # one test per package: a test of its own for each module takes longer to set up than to run
    for module, path in MODULES:
        if _fits(module, package):
            _runs_one_way(module, path)


def _runs_one_way(module: str, path: Path) -> None:
    allowed = _rule(module)
    for name, is_at_import in _imports(path):
        top = name.split(".")[0]
        if top in OURS:
            assert any(_fits(name, prefix) for prefix in allowed), f"{module} imports {name}"
        if top.startswith("dagster"):
            assert not any(_fits(module, prefix) for prefix in WITHOUT_DAGSTER), f"{module} imports {name}"
        if top == "dagster_dbt":
            pytest.fail(f"{module} imports dagster_dbt, which makes the location three times as slow to load")
        if _fits(module, "conversations") and top not in (*OURS, *PURE_EXTRAS):
            assert top in sys.stdlib_module_names, f"{module} is pure and imports {name}"
        if top in HEAVY and not module.startswith("tests"):
            assert not is_at_import, f"{module} imports {name} at import; do it inside the function that uses it"


def _needed(modules: Mapping[str, Path], *, at_import_only: bool = False) -> dict[str, set[str]]:
    """The modules among these that each imports."""
    found: dict[str, set[str]] = {}
    for module, path in modules.items():
        names = (name for name, is_at_import in _imports(path) if is_at_import or not at_import_only)
        found[module] = {one for name in names if (one := _module(name, modules)) is not None} - {module}
    return found


def _module(name: str, known: Container[str]) -> str | None:
    """The module that is imported by a name: itself, or that whose member it names."""
    while name and name not in known:
        name = name.rpartition(".")[0]
    return name or None


def _in_circles(needs: Mapping[str, set[str]]) -> set[str]:
    """The modules that are in a circle, or between two: who needs nobody, or is needed by nobody, is taken away until
    all that is left needs and is needed."""
    left = {module: set(others) for module, others in needs.items()}
    while True:
        wanted = set().union(*left.values()) if left else set()
        ends = {module for module, others in left.items() if not others or module not in wanted}
        if not ends:
            return set(left)
        left = {module: others - ends for module, others in left.items() if module not in ends}


def test_no_module_needs_itself_by_way_of_others() -> None:
    product = {module: path for module, path in MODULES if not _fits(module, "tests")}
    assert _in_circles(_needed(product)) == set()
    assert _in_circles(_needed(dict(MODULES), at_import_only=True)) == set()


def test_a_circle_would_be_seen(tmp_path: Path) -> None:
    modules = {}
    for name, text in {
        "a": "import b",
        "b": "from c import one",
        "c.one": "def late():\n    from d import two",
        "c": "",
        "d": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import b",
        "e": "import a",
    }.items():
        modules[name] = tmp_path / f"{name}.py"
        modules[name].write_text(text, "utf-8")
    assert _in_circles(_needed(modules)) == {"b", "c.one", "d"}
    assert _in_circles(_needed(modules, at_import_only=True)) == set()


def test_pure_modules_have_no_clock() -> None:
    for module, path in MODULES:
        if not _fits(module, "conversations"):
            continue
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.Attribute) and node.attr in ("now", "today", "utcnow", "monotonic", "time_ns"):
                assert not (isinstance(node.value, ast.Name) and node.value.id in ("datetime", "date", "time")), module


def test_modules_are_short_and_say_what_belongs_in_them() -> None:
    for module, path in MODULES:
        text = path.read_text(encoding="utf-8")
        assert len(text.splitlines()) <= 400, f"{module} has {len(text.splitlines())} lines"
        assert not text.strip() or ast.get_docstring(_tree(path)), f"{module} has no docstring"


def test_the_location_loads_with_no_variable_set(tmp_path: Path) -> None:
    script = (
        "import sys; import orchestration.definitions as d; d.defs.resolve_asset_graph();"
        "d.defs.resolve_job_def('load_daily'); d.defs.resolve_job_def('publish_week');"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]", "heavy libraries are loaded with the location"
    assert not list(tmp_path.iterdir()), "loading the location wrote something"
