"""Who may import whom. Read from the files, not from what happens to be imported."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from service_quality.config import REPO

PACKAGE = REPO / "plugins" / "service_quality"

# Lower never imports higher. A module that is not named here is a helper of the stages.
LAYERS = {
    "contract": 0, "window": 0, "config": 0, "ops": 0, "local": 0,
    "runner": 2,
    "pipeline": 3, "alerts": 3, "cli": 3,
}  # fmt: skip
STAGE = 1
STAGES = ("sources", "landing", "gate", "promote", "transform", "analyse", "publish")
SHARED = "service_quality.sources.base"  # what a batch is: sources give it, landing takes it
AIRFLOW = ("pipeline", "alerts", "local/scheduler")


def modules() -> dict[str, Path]:
    """Name below the package -> file."""
    return {str(p.relative_to(PACKAGE).with_suffix("")): p for p in sorted(PACKAGE.rglob("*.py"))}


def imports(path: Path) -> set[str]:
    """Every module a file imports, inside functions too, as dotted names."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide the layer"
            found.add(node.module or "")
            found |= {f"{node.module}.{a.name}" for a in node.names}
    return found


def own(path: Path) -> set[str]:
    """First parts of what a file imports from the package."""
    ours = {n for n in imports(path) if n.startswith("service_quality.")}
    names = {n.split(".")[1] for n in ours if not n.startswith(SHARED)}
    return {n for n in names if (PACKAGE / f"{n}.py").exists() or (PACKAGE / n).is_dir()}


def layer(name: str) -> int:
    return LAYERS.get(name.split("/")[0], STAGE)


@pytest.mark.parametrize("name", [n for n in modules() if not n.endswith("__init__")])
def test_lower_never_imports_higher(name):
    mine = 3 if name == "local/__main__" else layer(name)  # a command line of its own
    assert {n: layer(n) for n in own(modules()[name]) if layer(n) > mine} == {}


@pytest.mark.parametrize("name", [n for n in modules() if n.split("/")[0] in STAGES])
def test_stages_do_not_import_each_other(name):
    stage = name.split("/")[0]
    assert own(modules()[name]) & set(STAGES) <= {stage}


@pytest.mark.parametrize("name", [n for n in modules() if n not in AIRFLOW])
def test_only_the_airflow_side_imports_airflow(name):
    assert [i for i in imports(modules()[name]) if i.split(".")[0] == "airflow"] == []


def test_nothing_imports_dags_or_demo():
    for name, path in modules().items():
        assert [i for i in imports(path) if i.split(".")[0] in ("dags", "demo", "tests")] == [], name


def test_the_stages_are_there():
    missing = [s for s in STAGES if not (PACKAGE / f"{s}.py").exists() and not (PACKAGE / s).is_dir()]
    assert missing == []
