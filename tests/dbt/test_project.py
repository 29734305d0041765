"""What the dbt project promises about itself, read from the manifest that `dbt parse` writes (no database)."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from service_quality import contract, ops, transform

LAYERS = ("staging", "intermediate", "marts")
# Marts without logic of their own: their columns are those of one intermediate or staging model.
PLAIN = {"dim_date", "dim_branch", "dim_topic", "dim_subscriber"}
# Areas that are built on the quality marts.
ABOVE_QUALITY = {"review"}
KEY_TESTS = {"unique_combination", "unique"}


@pytest.fixture(scope="module")
def manifest(tmp_path_factory) -> dict[str, Any]:
    from dbt.cli.main import dbtRunner

    target = tmp_path_factory.mktemp("target")
    outcome = dbtRunner().invoke(
        [
            "parse", "--project-dir", str(transform.PROJECT), "--profiles-dir", str(transform.PROJECT),
            "--target-path", str(target), "--log-path", str(target), "--log-level", "none", "--no-partial-parse",
        ]
    )  # fmt: skip
    assert outcome.success, outcome.exception
    return json.loads((target / "manifest.json").read_text())


def models(manifest: dict[str, Any], layer: str) -> dict[str, dict[str, Any]]:
    """Name -> node of the models in a folder of `models/`."""
    return {n["name"]: n for n in manifest["nodes"].values() if n["resource_type"] == "model" and n["fqn"][1] == layer}


def layer_of(manifest: dict[str, Any], unique_id: str) -> str:
    if unique_id.startswith("source."):
        return "sources"
    node = manifest["nodes"][unique_id]
    return "seeds" if node["resource_type"] == "seed" else node["fqn"][1]


def data_tests_of(manifest: dict[str, Any], node: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        t for t in manifest["nodes"].values()
        if t["resource_type"] == "test" and t.get("attached_node") == node["unique_id"]
    ]  # fmt: skip


def macros_of(manifest: dict[str, Any], node: dict[str, Any]) -> set[str]:
    """Names of the macros a node calls, directly or by others."""
    found: set[str] = set()
    left = list(node["depends_on"]["macros"])
    while left:
        macro = left.pop()
        if macro not in found and macro.startswith("macro.quality_line."):
            found.add(macro)
            left += manifest["macros"][macro]["depends_on"]["macros"]
    return {m.rsplit(".", 1)[-1] for m in found}


def test_every_model_file_is_in_a_layer(manifest):
    files = {p.stem for p in (transform.PROJECT / "models").rglob("*.sql")}
    known = [models(manifest, layer) for layer in LAYERS]
    assert files == {name for names in known for name in names}
    assert all(len(names) > 10 for names in known)


def test_each_layer_reads_only_what_is_to_its_left(manifest):
    allowed = {
        "staging": {"sources"},
        "intermediate": {"staging", "intermediate", "marts", "seeds"},
        "marts": {"intermediate", "marts", "staging"},
    }
    for layer, names in allowed.items():
        for name, node in models(manifest, layer).items():
            read = {layer_of(manifest, i) for i in node["depends_on"]["nodes"]}
            assert read <= names, f"{name} reads {read - names}"


def test_quality_marts_read_core_and_intermediate_only(manifest):
    quality = [n for n in models(manifest, "marts").values() if n["fqn"][2] != "core"]
    assert quality
    for node in quality:
        for parent in node["depends_on"]["nodes"]:
            assert layer_of(manifest, parent) in ("intermediate", "marts"), f"{node['name']} reads {parent}"


def test_core_marts_never_read_sources(manifest):
    for name, node in models(manifest, "marts").items():
        assert not [i for i in node["depends_on"]["nodes"] if i.startswith("source.")], name


def test_intermediate_models_of_the_core_do_not_read_quality_marts(manifest):
    for name, node in models(manifest, "intermediate").items():
        if node["fqn"][2] in ABOVE_QUALITY:
            continue
        for parent in node["depends_on"]["nodes"]:
            found = manifest["nodes"].get(parent)
            assert not (found and found["fqn"][1:3] == ["marts", "quality"]), f"{name} reads {parent}"


def test_every_mart_has_a_contract_a_grain_and_described_columns(manifest):
    for name, node in models(manifest, "marts").items():
        assert node["config"]["contract"]["enforced"], f"{name} has no contract"
        assert node["config"]["schema"] == "candidate", name
        assert node["description"].strip().lower().startswith("grain:"), f"{name} does not begin with its grain"
        assert node["columns"], name
        for column in node["columns"].values():
            assert column["description"].strip(), f"{name}.{column['name']} has no description"
            assert column["data_type"], f"{name}.{column['name']} has no type"


def test_every_mart_names_its_key_and_tests_it(manifest):
    for name, node in models(manifest, "marts").items():
        key = node["config"]["meta"].get("key")
        assert key, f"{name} declares no meta.key"
        assert set(key) <= set(node["columns"]), f"{name}: {key}"
        tested = [
            t["test_metadata"]["kwargs"].get("columns") for t in data_tests_of(manifest, node)
            if t.get("test_metadata", {}).get("name") in KEY_TESTS
        ]  # fmt: skip
        assert key in tested, f"{name}: the key {key} is not tested, only {tested}"


def test_daily_models_end_with_their_day_and_replace_whole_days(manifest):
    daily = 0
    for layer in ("intermediate", "marts"):
        for name, node in models(manifest, layer).items():
            if node["config"]["materialized"] != "incremental":
                continue
            daily += 1
            assert node["config"]["incremental_strategy"] == "replace_days", name
            if layer == "marts":
                day = (node["config"]["meta"].get("reach") or {}).get("column", "business_day")
                assert list(node["columns"])[-1] == day, f"{name}: the day stands last"
            bounds = {"in_touched_days", "in_reach", "in_reclassified_days"} & macros_of(manifest, node)
            assert bounds, f"{name} builds more than the touched days"
            assert_reach_is_told(name, node)
    assert daily > 12


def assert_reach_is_told(name: str, node: dict[str, Any]) -> None:
    """What a model reads around a touched day is what strategy, gate 2 and publication are told."""
    told = node["config"]["meta"].get("reach")
    of_today = bool(told and told.get("all_when_reclassified"))
    assert of_today == ("in_reclassified_days(" in node["raw_code"]), f"{name}: meta.reach is {told}"
    if of_today:
        assert (told["before"], told["after"]) == (0, 0), name
        return
    read = set(re.findall(r"in_reach\((\d+), (\d+)[,)]", node["raw_code"]))
    reaches = bool(told and told.keys() & {"before", "after"})
    own = {(str(told["before"]), str(told["after"]))} if reaches else set()
    assert own <= read and (reaches or not read), f"{name}: meta.reach is {told}, in_reach says {read}"


def test_days_of_repeats_are_built_where_repeats_come_in(manifest):
    """And in the working tables of one build that such a model reads; nowhere else, since all else stays as it is."""
    named = {n["name"]: n for n in manifest["nodes"].values() if n["resource_type"] == "model"}
    kept = {name for name, node in named.items() if node["config"]["materialized"] == "incremental"}
    of_build = {name for name, node in named.items() if "days_to_build" in macros_of(manifest, node)} | kept
    while more := {name for name in named.keys() - of_build if read_tables(manifest, named[name]) & (of_build - kept)}:
        of_build |= more
    repeats = "fct_repeat_contacts"
    wanted = {name for name in of_build if name == repeats or repeats in ancestors(manifest, named[name])}
    left = set(wanted)
    while left:
        more = read_tables(manifest, named[left.pop()]) & (of_build - kept) - wanted
        wanted, left = wanted | more, left | more
    told = {n for n, node in named.items() if (node["config"]["meta"].get("reach") or {}).get("of") == "touched_days"}
    assert told & of_build == wanted and len(wanted) > 20


def read_tables(manifest: dict[str, Any], node: dict[str, Any]) -> set[str]:
    """Names of the models that a model reads rows of, through views."""
    found: set[str] = set()
    for unique_id in node["depends_on"]["nodes"]:
        if unique_id.startswith("model."):
            parent = manifest["nodes"][unique_id]
            is_kept = parent["config"]["materialized"] in ("table", "incremental")
            found |= {parent["name"]} if is_kept else read_tables(manifest, parent)
    return found


def ancestors(manifest: dict[str, Any], node: dict[str, Any]) -> set[str]:
    """Names of all models that a model is made of, directly or by others."""
    left, seen = list(node["depends_on"]["nodes"]), set()
    while left:
        if (parent := left.pop()) not in seen and parent.startswith("model."):
            seen.add(parent)
            left += manifest["nodes"][parent]["depends_on"]["nodes"]
    return {manifest["nodes"][parent]["name"] for parent in seen}


def test_marts_with_logic_have_unit_tests(manifest):
    tested = {t["model"] for t in manifest["unit_tests"].values()}
    for name, node in models(manifest, "marts").items():
        own = {name}
        if node["fqn"][2] != "core":  # their sums are made in intermediate models, one for each domain
            own |= {i.rsplit(".", 1)[-1] for i in node["depends_on"]["nodes"] if ".int_" in i}
        assert name in PLAIN or own & tested, f"{name} has no unit test"


def test_no_model_bounds_a_scan_by_a_cast_or_a_subquery(manifest):
    wrong = re.compile(
        r"_at\s*::\s*date|cast\(\s*\w+_at as date\)\s*(=|in|between)|business_day\s*[<>=]+\s*\(\s*select"
    )
    for layer in LAYERS:
        for name, node in models(manifest, layer).items():
            assert not wrong.search(node["raw_code"]), name


def test_models_are_written_without_postgres_only_words(manifest):
    words = re.compile(
        r"::|\bdistinct on\b|\bgenerate_series\b|\bat time zone\b|\bto_char\b|\bextract\(epoch|\bdate_bin\b|\bunnest\b"
        r"|->>|\s~\s", re.IGNORECASE,
    )  # fmt: skip
    for layer in LAYERS:
        for name, node in models(manifest, layer).items():
            code = re.sub(r"--[^\n]*|\{\{.*?\}\}|\{%.*?%\}", "", node["raw_code"], flags=re.DOTALL)
            assert not words.search(code), f"{name}: {words.search(code)}"


def reaches_of_ancestors(manifest: dict[str, Any], node: dict[str, Any]) -> dict[str, dict[str, int]]:
    """Reaches of the marts that a model is made of, directly or by others."""
    of = ancestors(manifest, node)
    made_of = [n for n in manifest["nodes"].values() if n["resource_type"] == "model" and n["name"] in of]
    found = {n["name"]: n["config"]["meta"].get("reach") or {} for n in made_of}
    return {name: reach for name, reach in found.items() if "before" in reach}


def test_a_mart_reaches_at_least_as_far_as_what_it_is_made_of(manifest):
    """Days that change later in a mart change in everything of days that is made of it."""
    followed = 0
    for name, node in models(manifest, "marts").items():
        if node["config"]["materialized"] != "incremental":
            continue
        own = {"before": 0, "after": 0} | (node["config"]["meta"].get("reach") or {})
        for parent, reach in reaches_of_ancestors(manifest, node).items():
            followed += 1
            for side in ("before", "after"):
                assert own[side] >= reach[side], f"{name} reaches less far {side} than {parent}"
    assert followed >= 4


def test_the_weekly_review_follows_call_backs_that_are_answered_later(manifest):
    """A week stands on its Monday, up to six days before the day on which a call became owed."""
    marts = models(manifest, "marts")
    reach = {n: marts[n]["config"]["meta"]["reach"] for n in ("weekly_review", "callbacks_daily")}
    assert "callbacks_daily" in reaches_of_ancestors(manifest, marts["weekly_review"])
    assert reach["weekly_review"]["before"] == reach["callbacks_daily"]["before"] + 6


def test_the_raw_sources_are_the_contract(manifest):
    declared = {s["name"]: list(s["columns"]) for s in manifest["sources"].values() if s["source_name"] == "raw"}
    wanted = {
        t.name: [*(n for n, _ in ops.raw_columns(t)), "_load_id", "_row_no", "_row_hash", "_loaded_at",
                 "_superseded_at"]
        for t in contract.TABLES
    }  # fmt: skip
    assert declared == wanted


def test_every_raw_table_is_staged_and_every_setting_read(manifest):
    staged = {i for n in models(manifest, "staging").values() for i in n["depends_on"]["nodes"]}
    names = {manifest["sources"][i]["name"] for i in staged}
    assert {t.name for t in contract.TABLES} <= names
    assert {s["name"] for s in manifest["sources"].values() if s["name"].startswith("setting_")} <= names


def test_staging_shows_only_the_present_versions(manifest):
    for name, node in models(manifest, "staging").items():
        if name.endswith("_versions") or not any(".raw." in i for i in node["depends_on"]["nodes"]):
            continue
        assert "_superseded_at is null" in node["raw_code"], name


def test_the_calculated_sources_are_the_analyses(manifest):
    from service_quality.analyse import ANALYSES

    found = {
        s["name"]: [(c["name"], c["data_type"]) for c in s["columns"].values()]
        for s in manifest["sources"].values() if s["source_name"] == "calculated"
    }  # fmt: skip
    assert found == {a.table: list(a.columns) for a in ANALYSES}


def test_unit_test_names_fit_into_the_databases_limit():
    for path in sorted((transform.PROJECT / "models").rglob("*.yml")):
        content = yaml.safe_load(Path(path).read_text()) or {}
        for test in content.get("unit_tests", []):
            assert len(test["name"]) <= 63, f"{path.name}: {test['name']}"


def test_only_what_a_build_makes_anew_is_kept_without_wal(manifest):
    unlogged = {n["name"] for n in manifest["nodes"].values() if n["config"].get("unlogged")}
    assert len(unlogged) > 80
    kept = {n["name"]: n["config"]["materialized"] for n in manifest["nodes"].values() if n["name"] in unlogged}
    assert {name for name, kind in kept.items() if kind == "incremental"} == set()
    assert unlogged <= set(models(manifest, "intermediate"))
