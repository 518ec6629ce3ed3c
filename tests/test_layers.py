"""The import rule: a module imports only from a lower row, and heavy packages stay where they are.

Imports inside functions count; those under `if TYPE_CHECKING` do not, since they import nothing.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROWS = {
    "errors": 0,
    "resources": 0,
    "machine": 0,
    "compiled": 0,
    "geometry": 1,
    "formats": 1,
    "drawing": 1,
    "search": 2,
    "volume": 2,
    "results": 2,
    "losses": 3,
    "models": 3,
    "classical": 3,
    "metrics": 3,
    "data": 4,
    "extractors": 4,
    "tasks": 5,
    "pipeline": 5,
    "evaluation": 6,
    "demo": 6,
    "bench": 6,
    "cli": 7,
    "__init__": 7,
}
ALLOWED = {
    "pytorch_lightning": ("tasks/", "data/", "cli/"),
    "lightning_fabric": ("tasks/", "data/", "cli/"),
    "faiss": ("search/faiss",),
    "wandb": ("tasks/records.py",),
    "matplotlib": ("drawing/", "evaluation/"),
    "onnxruntime": ("models/export.py",),
    "albumentations": ("data/photometric.py",),
}
MODULES = sorted((ROOT / "corr").rglob("*.py"))


def imports(tree: ast.AST) -> Iterator[str]:
    """Every name that code imports, in full: `from corr import formats` gives `corr.formats`."""
    if isinstance(tree, ast.If) and ast.unparse(tree.test) == "TYPE_CHECKING":
        for node in tree.orelse:
            yield from imports(node)
        return
    if isinstance(tree, ast.Import):
        yield from (alias.name for alias in tree.names)
    elif isinstance(tree, ast.ImportFrom):
        assert tree.level == 0, f"line {tree.lineno}: a relative import"
        yield from (f"{tree.module}.{alias.name}" for alias in tree.names)
    for node in ast.iter_child_nodes(tree):
        yield from imports(node)


def imported(path: Path) -> set[str]:
    return set(imports(ast.parse(path.read_text(encoding="utf-8"))))


def dotted(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def unit(module: str) -> str:
    """The unit of `corr.formats.images` is `formats`; that of `corr` itself is `__init__`."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def upward(module: str, names: set[str]) -> list[str]:
    """The imports of corr that are not from a lower row or from the module's own unit."""
    own = unit(module)
    found = []
    for name in sorted(names):
        if name.split(".")[0] != "corr":
            continue
        target = unit(name)
        if target == own or (target == "errors" and own == "resources"):
            continue  # errors, which import nothing, are below all others, those in their row too
        if ROWS.get(target, 99) >= ROWS[own]:
            found.append(f"{module} imports {name}")
    return found


def test_every_unit_has_a_row():
    units = {unit(dotted(path)) for path in MODULES}
    assert units == set(ROWS)


def test_modules_import_from_lower_rows_only():
    wrong = [line for path in MODULES for line in upward(dotted(path), imported(path))]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("code", "module", "count"),
    [
        ("from corr import results", "corr.formats.images", 1),
        ("def f():\n    import corr.tasks.training", "corr.models.saved", 1),
        ("from corr.volume.sgm import run", "corr.search.exact", 1),
        ("import corr.pipeline.matching", "corr.errors", 1),
        ("from corr.drawing import strip\nfrom corr.errors import CorrError", "corr.results", 0),
        ("from corr.formats.atomic import replacing", "corr.formats.images", 0),
        ("if TYPE_CHECKING:\n    from corr.cli import main", "corr.errors", 0),
        ("if not TYPE_CHECKING:\n    from corr import cli", "corr.errors", 1),
        ("if TYPE_CHECKING:\n    pass\nelse:\n    from corr import cli", "corr.errors", 1),
    ],
)
def test_the_rule_sees_what_it_should(code, module, count):
    assert len(upward(module, set(imports(ast.parse(code))))) == count


@pytest.mark.parametrize("package", ALLOWED)
def test_heavy_packages_stay_where_they_are(package):
    wrong = [
        relative
        for path in MODULES
        if any(name.split(".")[0] == package for name in imported(path))
        and not (relative := path.relative_to(ROOT / "corr").as_posix()).startswith(
            ALLOWED[package]
        )
    ]
    assert not wrong, f"{package} is imported in {wrong}"


def test_no_circle_of_modules():
    """Nor through a package's `__init__`, which runs before its modules."""
    modules = {dotted(path): path for path in MODULES}

    def home(name: str) -> str | None:
        return next((m for m in (name, name.rpartition(".")[0]) if m in modules), None)

    graph = {
        module: {home(name) for name in imported(path)} - {None, module}
        for module, path in modules.items()
    }
    finished: set[str] = set()

    def visit(module: str, chain: tuple[str, ...]) -> None:
        assert module not in chain, " -> ".join((*chain[chain.index(module) :], module))
        if module not in finished:
            for name in sorted(graph[module]):
                visit(name, (*chain, module))
            finished.add(module)

    for module in sorted(modules):
        visit(module, ())


def test_no_drawer_for_odds_and_ends():
    forbidden = {"utils", "util", "helpers", "helper", "misc", "common"}
    for folder in ("corr", "tests"):
        names = {
            part for path in (ROOT / folder).rglob("*.py") for part in path.with_suffix("").parts
        }
        assert not names & forbidden


def test_files_stay_short():
    long = {
        path.relative_to(ROOT).as_posix(): lines
        for path in MODULES
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 300
    }
    assert not long
