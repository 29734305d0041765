"""What every DAG file has to keep to. The files are enumerated on disk: finding none is a failure."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from service_quality.config import REPO, ConfigError
from service_quality.sources.base import SourceError

FILES = sorted((REPO / "dags").glob("*.py"))
NAMED = {"ingest_crm", "ingest_telephony", "ingest_ivr", "ingest_survey", "build_quality_marts"}
INGEST = sorted(n for n in NAMED if n.startswith("ingest_"))
HEAVY = (
    "great_expectations",
    "dbt",
    "pandas",
    "scipy",
    "statsmodels",
    "service_quality.runner",
    "service_quality.gate",
)

FULL = """
provider: {time_zone: Asia/Yekaterinburg}
crm: {}
telephony: {servers: [{time_zone: UTC, queue_log: {form: file, spool: /spool}}]}
ivr: {drops: [{spool: /spool, time_zone: UTC}]}
survey: {surveys: [{survey_id: "1", kind: general, questions: {}}]}
"""
ONLY_TELEPHONY = """
telephony: {servers: [{time_zone: UTC, queue_log: {form: file, spool: /spool}}]}
"""


def load_dags(folder: Path, text: str | None, monkeypatch: pytest.MonkeyPatch):
    """All DAGs under a configuration, as Airflow's own DagBag (with its file filter) sees them."""
    from airflow.dag_processing.dagbag import DagBag

    if text is not None:
        (folder / "sources.yml").write_text(text)
    monkeypatch.setenv("QUALITY_CONFIG_DIR", str(folder))
    monkeypatch.delenv("QUALITY_SCHEDULE", raising=False)
    bag = DagBag(str(REPO / "dags"), safe_mode=True)
    assert bag.import_errors == {}
    return bag.dags


@pytest.fixture(scope="module")
def dags(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        yield load_dags(tmp_path_factory.mktemp("config"), FULL, patch)


def test_the_named_dags_have_a_file_each():
    assert {f.stem for f in FILES} >= NAMED


def test_each_file_gives_one_dag_of_its_name(dags):
    assert set(dags) == {f.stem for f in FILES}
    assert {d.dag_id: Path(d.fileloc).stem for d in dags.values()} == {f.stem: f.stem for f in FILES}


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_a_file_only_declares(file):
    tree = ast.parse(file.read_text())
    assert len(file.read_text().splitlines()) <= 60
    doc, *rest = tree.body
    assert isinstance(doc, ast.Expr) and isinstance(doc.value, ast.Constant), "begins with its doc_md"
    imported = {n.module for n in rest if isinstance(n, ast.ImportFrom)}
    assert imported <= {"service_quality.pipeline", "datetime"}
    others = [n for n in rest if not isinstance(n, ast.ImportFrom)]
    assert len(others) == 1 and isinstance(others[0], ast.Assign) and isinstance(others[0].value, ast.Call)


def test_parsing_imports_nothing_heavy():
    code = (
        "import runpy, sys, json\n"
        f"for f in {[str(f) for f in FILES]!r}: runpy.run_path(f)\n"
        f"print(json.dumps([m for m in {HEAVY!r} if m in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=os.environ, check=True)
    assert json.loads(done.stdout.splitlines()[-1]) == []


@pytest.mark.parametrize("dag_id", [f.stem for f in FILES])
def test_every_dag_says_whose_it_is_and_what_to_do(dags, dag_id):
    dag = dags[dag_id]
    assert len(dag.doc_md or "") > 200 and dag.description and len(dag.tags) >= 2
    assert not dag.catchup
    for task in dag.tasks:
        assert task.owner not in ("", "airflow"), task.task_id
        assert task.on_failure_callback, task.task_id
        assert task.execution_timeout, f"{task.task_id}: a hung task would hold everything behind it"


@pytest.mark.parametrize("dag_id", sorted(NAMED))
def test_two_runs_never_race(dags, dag_id):
    assert dags[dag_id].max_active_runs == 1


@pytest.mark.parametrize("dag_id", INGEST)
def test_extracts_retry_with_growing_pauses(dags, dag_id):
    land = dags[dag_id].get_task("land")
    assert land.retries >= 2 and land.retry_exponential_backoff > 1
    assert timedelta(seconds=10) <= land.retry_delay <= land.max_retry_delay <= timedelta(hours=1)
    decide = land.retry_policy.evaluate
    assert decide(ConfigError("x"), 1, 3).action.value == "fail"
    assert decide(SourceError("x"), 1, 3).action.value in ("retry", "default")


@pytest.mark.parametrize("dag_id", [f.stem for f in FILES])
def test_nothing_else_retries(dags, dag_id):
    assert {t.task_id: t.retries for t in dags[dag_id].tasks if t.task_id != "land" and t.retries} == {}


@pytest.mark.parametrize("dag_id", INGEST)
def test_the_shape_of_an_ingest(dags, dag_id):
    dag = dags[dag_id]
    assert {t.task_id: t.downstream_task_ids for t in dag.tasks} == {
        "land": {"gate"},
        "gate": {"promote", "ask_for_review"},
        "promote": set(),
        "ask_for_review": set(),
    }
    source = dag_id.removeprefix("ingest_")
    assert [o.uri for o in dag.get_task("promote").outlets] == [f"quality://raw/{source}"]
    assert not dag.get_task("land").outlets, "marts are built from what was promoted, not from what landed"
    assert set(dag.params) == {"from", "to"}


def test_the_shape_of_the_build(dags):
    dag = dags["build_quality_marts"]
    assert {t.task_id: t.downstream_task_ids for t in dag.tasks} == {
        "plan": {"transform"},
        "transform": {"gate"},
        "gate": {"publish"},
        "publish": set(),
    }
    assert set(dag.params) == {"days", "full"}
    (deadline,) = dag.deadline
    assert deadline.callback.path == "service_quality.alerts.deadline_missed"
    assert deadline.interval <= timedelta(hours=3)


def awaited(dag) -> set[str]:
    condition = getattr(dag.timetable, "asset_condition", None)
    return {a.uri for a in condition.objects} if condition else set()


def test_nights_are_the_providers(dags):
    for dag_id in INGEST:
        assert str(dags[dag_id].timetable.timezone) == "Asia/Yekaterinburg"
    assert str(dags["build_quality_marts"].timetable.timetable.timezone) == "Asia/Yekaterinburg"


def test_the_build_waits_for_the_four_sources(dags):
    assert awaited(dags["build_quality_marts"]) == {f"quality://raw/{d.removeprefix('ingest_')}" for d in INGEST}


def test_a_source_that_is_not_configured_is_not_run_and_not_awaited(tmp_path, monkeypatch):
    dags = load_dags(tmp_path, ONLY_TELEPHONY, monkeypatch)
    assert awaited(dags["build_quality_marts"]) == {"quality://raw/telephony"}
    assert {d for d in INGEST if dags[d].schedule is not None} == {"ingest_telephony"}
    assert "not configured" in dags["ingest_crm"].tags


@pytest.mark.parametrize("text", [None, "provider: {time_zone: Nowhere}", "provider: ["])
def test_a_broken_configuration_does_not_make_dags_vanish(tmp_path, monkeypatch, text):
    dags = load_dags(tmp_path, text, monkeypatch)
    assert set(dags) == {f.stem for f in FILES}
    assert all(dags[d].schedule is not None for d in NAMED), "they run, fail and raise the alert"


def test_without_the_clock_only_hands_and_assets_start_runs(tmp_path, monkeypatch):
    from airflow.dag_processing.dagbag import DagBag

    (tmp_path / "sources.yml").write_text(FULL)
    monkeypatch.setenv("QUALITY_CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("QUALITY_SCHEDULE", "manual")
    dags = DagBag(str(REPO / "dags")).dags
    assert [d for d in INGEST if dags[d].schedule is not None] == []
    assert len(awaited(dags["build_quality_marts"])) == 4
    assert not hasattr(dags["build_quality_marts"].timetable, "timetable")


def test_airflow_does_not_take_the_package_for_plugins():
    """Without the ignore file each Airflow process would import all of it, dbt and GX included."""
    from airflow._shared.module_loading import find_path_from_directory

    found = list(find_path_from_directory(str(REPO / "plugins"), ".airflowignore", "glob"))
    assert [f for f in found if "service_quality" in f] == []
