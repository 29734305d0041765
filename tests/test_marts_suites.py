"""Gate 2's rules on the marts: a sound day passes all of them, and each rule has a fault that only it is there for."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import date

import psycopg
import pytest
import sqlalchemy as sa
import yaml
from psycopg import sql
from service_quality import gate, ops, suites
from service_quality.config import REPO

DAY = date(2026, 3, 2)
MODELS = REPO / "dbt_project" / "models" / "marts"
SUITES = sorted((suites.FOLDER / "marts").glob("*.yml"))
MARTS = {"operator_quality_daily": "operator", "branch_quality_daily": "branch", "topic_quality_daily": "topic"}
LOADED = ("visits", "ratings", "surveys", "evaluations", "tickets", "ticket_events", "repeats")

COMMON = {
    "status": "measured", "visits_answered": 1, "wait_seconds_sum": 10, "wait_seconds_count": 1, "wait_seconds_p50": 10,
    "wait_seconds_p90": 10, "ring_seconds_count": 0, "talk_seconds_count": 1, "talk_seconds_p50": 60,
    "talk_seconds_p90": 60, "zero_talk_answers": 0, "answered_in_threshold": 1, "answered_within_20s": 1,
    "transfers": 0, "transfers_blind": 0, "transfers_attended": 0, "ended_by_operator": 1, "ended_by_subscriber": 0,
    "service_level_answered": 1, "ring_no_answers": 0, "calls_asked": 1, "calls_rated": 1, "calls_rated_complete": 0,
    "rating_service_quality_asked": 1, "rating_readiness_to_help_asked": 0, "rating_politeness_asked": 0,
    "rating_competence_asked": 0, "rating_service_quality_mean": 5, "survey_started": 1, "survey_responses": 1,
    "nps": 100, "satisfaction_mean": 5, "evaluations": 1, "evaluations_with_fatal": 0, "evaluation_score_mean": 90,
    "tickets_opened": 1, "tickets_solved": 1, "solution_minutes_sum": 30, "repeat_contacts_known": 1,
    "repeat_24h_index": 1, "repeat_24h_repeats": 0, "repeat_7d_index": 1, "repeat_7d_repeats": 0,
    "repeat_30d_index": 0, "business_day": DAY, **{f"{d}_coverage": "loaded" for d in LOADED},
}  # fmt: skip
QUEUE = {
    "contacts_offered": 2, "contacts_entered": 2, "contacts_turned_away": 0, "contacts_without_call": 0,
    "contacts_answered": 1, "visits_entered": 2, "visits_abandoned": 1, "visits_short_abandoned": 0,
    "visits_timed_out": 0, "visits_left_by_key": 0, "visits_left_empty": 0, "visits_withdrawn": 0,
    "visits_failed": 0, "visits_interrupted": 0, "visits_open": 0,
}  # fmt: skip
WHO = {"operator_id": "o1", "branch_id": "b1", "topic_id": "t1", "business_day": DAY}
SOUND = {
    "operator_quality_daily": [{**COMMON, "operator_id": "o1"}],
    "branch_quality_daily": [{**COMMON, **QUEUE, "branch_id": "b1", "connections_ordered": 1, "supply_days_sum": 2}],
    "topic_quality_daily": [{**COMMON, **QUEUE, "topic_id": "t1"}],
    "fct_contacts": [
        {"contact_id": f"c{n}", "contact_kind": "call", "branch_id": "b1", "topic_id": "t1", "queue_visits": 1,
         "outcome": outcome, "business_day": DAY} for n, outcome in enumerate(("answered", "abandoned"))
    ],
    "fct_queue_visits": [
        {"queue_visit_id": "v0", "contact_id": "c0", "branch_id": "b1", "operator_id": "o1", "outcome": "answered",
         "wait_seconds": 10, "talk_seconds": 60, "business_day": DAY},
        {"queue_visit_id": "v1", "contact_id": "c1", "branch_id": "b1", "outcome": "abandoned", "wait_seconds": 9,
         "business_day": DAY},
    ],
    "fct_ratings": [{**WHO, "rating_id": "r", "contact_id": "c0", "criterion": "service_quality", "rating": 5,
                     "answer_kind": "rated"}],
    "fct_survey_responses": [{**WHO, "survey_response_id": "s", "is_complete": True, "satisfaction": 5,
                              "recommend": 10, "effort": 1, "attempt_outcome": "reached"}],
    "fct_evaluations": [{**WHO, "evaluation_id": "e", "score": 90, "score_raw": 90}],
    "fct_tickets": [{**WHO, "ticket_id": "k", "solution_minutes": 30, "first_reply_minutes": 3,
                     "due_at": "2026-03-02 07:00:00+00"}],
    "fct_ticket_events": [{**WHO, "ticket_event_id": "ke", "ticket_id": "k", "event": "solved",
                           "event_at": "2026-03-02 09:00:00+00"}],
    "fct_repeat_contacts": [{**WHO, "contact_id": "c0"}],
    "fct_connections": [{"connection_id": "n", "branch_id": "b1", "supply_days": 2,
                         "connected_at": "2026-03-02 08:00:00+00", "business_day": DAY}],
    "fct_operator_states": [{"operator_state_id": "p", "operator_id": "o1", "seconds": 90, "business_day": DAY}],
    "event_leftovers": [{"server_id": "pbx", "event": "INFO", "events": 1, "events_logged": 3, "events_in_facts": 2,
                         "business_day": DAY}],
}  # fmt: skip

UNIQUE = "insert into {table} select * from {table} limit 1"
FAULTS = {
    "rows": "truncate {table}",
    "key.unique": UNIQUE,
    "key.present": "update {table} set {key} = null",
    "key.branch": "update {table} set branch_id = null",
    "key.topic": "update {table} set topic_id = null",
    "status.vocabulary": "update {table} set status = 'fine'",
    "spine.none_missing": "truncate {table}",
    "spine.none_beyond": "update {table} set {key} = 'invented'",
    "range.shares": "update {table} set service_level_answered = 1.01",
    "range.amounts": "update {table} set wait_seconds_sum = -1",
    "range.scales": "update {table} set rating_service_quality_mean = 5.5",
    "range.crm_figures": "update {table} set solution_minutes_sum = -5",
    "range.percentiles": "update {table} set wait_seconds_p50 = 11",
    "parts.visits": "update {table} set visits_open = 1",
    "parts.contacts": "update {table} set contacts_offered = 1",
    "parts.others": "update {table} set calls_rated = 2",
    "null.means_not_measured": "update {table} set evaluations = null",
    "reconcile.answered": "update {table} set visits_answered = 2",
    "reconcile.visits": "update {table} set visits_entered = 3",
    "reconcile.contacts": "update {table} set contacts_entered = 1",
    "reconcile.ratings": "update {table} set rating_politeness_asked = 1",
    "reconcile.surveys": "insert into candidate.fct_survey_responses select * from candidate.fct_survey_responses",
    "reconcile.evaluations": "truncate candidate.fct_evaluations",
    "reconcile.tickets": "update {table} set tickets_opened = 0",
    "reconcile.repeats": "truncate {table}",
    "reconcile.connections": "update {table} set connections_ordered = null",
    "vocabulary.outcome": "update {table} set outcome = 'lost'",
    "vocabulary.answer_kind": "update {table} set answer_kind = 'star'",
    "vocabulary.attempt_outcome": "update {table} set attempt_outcome = 'busy'",
    "present.attempt_outcome": "update {table} set attempt_outcome = null",
    "range.wait_seconds": "update {table} set wait_seconds = -1",
    "range.talk_seconds": "update {table} set talk_seconds = -1",
    "range.rating": "update {table} set rating = 9",
    "range.satisfaction": "update {table} set satisfaction = 0",
    "range.recommend": "update {table} set recommend = 11",
    "range.effort": "update {table} set effort = 8",
    "range.score": "update {table} set score = 101",
    "range.score_raw": "update {table} set score_raw = 101",
    "range.solution_minutes": "update {table} set solution_minutes = -1",
    "range.first_reply_minutes": "update {table} set first_reply_minutes = -1",
    "range.supply_days": "update {table} set supply_days = -1",
    "range.seconds": "update {table} set seconds = 90001",
    "orphan.contact_id": "update {table} set contact_id = 'gone'",
    "orphan.ticket_id": "update {table} set ticket_id = 'gone'",
    "match.share": "update {table} set contact_id = null; insert into {table} select t.* from {table} as t,"
    " generate_series(1, 30)",
    "balance": "update {table} set events = 0",
}
MAY_BE_EMPTY = {"min_value": 0}

# A group of marts has its sound rows and the faults of its rules in a file of its own; `beside` are intermediate tables
# that its rules read, with their columns and rows.
BESIDE = {}
for path in sorted((REPO / "tests" / "marts_days").glob("*.yml")):
    described = yaml.safe_load(path.read_text())
    assert not described["sound"].keys() & SOUND.keys(), f"{path.name} describes marts that are described already"
    SOUND |= described["sound"]
    FAULTS |= described["faults"]
    BESIDE |= described.get("beside", {})


@pytest.fixture(scope="module")
def url(server):
    """An ``ops`` and the candidate tables of the contracts, without dbt."""
    name = "test_marts_suites"
    with psycopg.connect(server.url("postgres"), autocommit=True) as admin:
        admin.execute(f"drop database if exists {name} with (force)")
        admin.execute(f"create database {name}")
    with ops.connect(server.url(name)) as conn:
        ops.prepare(conn)
        for path in sorted(MODELS.rglob("*.yml")):
            for model in yaml.safe_load(path.read_text()).get("models", []):
                columns = ", ".join(f'"{c["name"]}" {c["data_type"]}' for c in model["columns"])
                conn.execute(f"create table candidate.{model['name']} ({columns})")
        for grain in MARTS.values():
            conn.execute(f"create table intermediate.int_{grain}_spine ({grain}_id text, business_day date)")
        for table, made in BESIDE.items():
            columns = ", ".join(f"{name} {kind}" for name, kind in made["columns"].items())
            conn.execute(f"create table intermediate.{table} ({columns})")
            for row in made["rows"]:
                insert(conn, f"intermediate.{table}", row)
        conn.execute("insert into ops.touched_days values (1, %s)", (DAY,))
        conn.commit()
    yield server.url(name)
    with psycopg.connect(server.url("postgres"), autocommit=True) as admin:
        admin.execute(f"drop database if exists {name} with (force)")


@pytest.fixture
def conn(url):
    """The sound day, anew for every test."""
    with ops.connect(url) as conn:
        restore(conn)
        for grain in MARTS.values():
            conn.execute(f"truncate intermediate.int_{grain}_spine")
            insert(conn, f"intermediate.int_{grain}_spine", {f"{grain}_id": WHO[f"{grain}_id"], "business_day": DAY})
        for mart in MARTS:
            conn.execute(f"drop table if exists marts.{mart}")
        conn.execute("delete from ops.setting_holidays")
        conn.commit()
        yield conn


def insert(conn, table, row):
    names = sql.SQL(", ").join(map(sql.Identifier, row))
    marks = sql.SQL(", ").join([sql.Placeholder()] * len(row))
    statement = sql.SQL("insert into {} ({}) values ({})").format(sql.Identifier(*table.split(".")), names, marks)
    conn.execute(statement, list(row.values()))


def publish_usual_weeks(conn, mart, amount):
    """The same weekday of the last four weeks as published: ``amount`` a day."""
    conn.execute(f"create table marts.{mart} (like candidate.{mart})")
    measure = "visits_answered" if mart.startswith("operator") else "contacts_entered"
    for weeks in range(1, 5):
        conn.execute(
            f"insert into marts.{mart} ({measure}, business_day) values (%s, %s)",
            (amount, date.fromordinal(DAY.toordinal() - 7 * weeks)),
        )
    conn.commit()


def judge(url, suite, only=None):
    """{rule: verdict} for the day's rows; all rows of a mart without days."""
    rules = [r for r in suite.expectations if only is None or r.id == only]
    chosen = suite.model_copy(update={"expectations": rules}).on_days([DAY])
    with ops.connect(url) as conn:
        query = gate._touched_rows(conn, chosen, [DAY], False)
    results = gate.judge_relation(url, chosen, "candidate", suite.table.name, query=query)
    return {r.rule_id: r for r in results}


@contextmanager
def refused():
    """What Postgres did not understand of what the gate asked meanwhile: it would ask otherwise, at a higher price."""
    statements = []

    def hear(context):
        statements.append(context.statement)

    sa.event.listen(sa.Engine, "handle_error", hear)
    try:
        yield statements
    finally:
        sa.event.remove(sa.Engine, "handle_error", hear)


def key_of(suite):
    return next(r.kwargs["column"] for r in suite.expectations if r.id.endswith("key.present"))


@pytest.mark.postgres
def test_a_mart_whose_day_is_called_otherwise_is_judged_on_its_touched_days(conn):
    suite = suites.read(suites.FOLDER / "marts" / "topic_class_daily.yml")
    whole = gate._touched_rows(conn, suite, [DAY], True, "day")
    assert gate._touched_rows(conn, suite, [DAY], False, "day").startswith(f'{whole} where ("day" between ')
    assert gate._touched_rows(conn, suite, [DAY], False) == whole  # it has no business_day


@pytest.mark.postgres
@pytest.mark.parametrize("path", SUITES, ids=lambda p: p.stem)
def test_a_sound_day_passes_every_rule(url, conn, path):
    with refused() as statements:
        found = judge(url, suites.read(path))
    assert statements == []
    assert found and {r.rule_id: r.observed for r in found.values() if r.verdict != "pass"} == {}


@pytest.mark.postgres
@pytest.mark.parametrize("path", SUITES, ids=lambda p: p.stem)
def test_every_rule_finds_its_fault(url, conn, path):
    suite = suites.read(path)
    table = f"candidate.{suite.table.name}"
    for rule in suite.expectations:
        name = rule.id.removeprefix(f"{suite.table.name}.")
        if name.startswith("drop.") or rule.kwargs == MAY_BE_EMPTY:
            continue  # tested below; cannot be broken
        fault = FAULTS.get(rule.id, FAULTS.get(name, "")).replace("{table}", table)
        assert fault, f"no fault is described for {rule.id}"
        conn.execute(fault.replace("{key}", key_of(suite)) if "{key}" in fault else fault)
        conn.commit()
        wanted = "fail" if rule.severity == "critical" else "warn"
        assert judge(url, suite, rule.id)[rule.id].verdict == wanted, rule.id
        restore(conn)


@pytest.mark.postgres
@pytest.mark.parametrize(("excess", "verdict"), [(2663.06123, "pass"), (2663.0613, "fail")])
def test_the_excess_of_a_great_surge_has_nine_digits(url, conn, excess, verdict):
    conn.execute("update candidate.topic_surges set contacts = 2669, expected = 5.93877369, excess = %s", (excess,))
    conn.commit()
    rule = "topic_surges.parts.excess"
    assert judge(url, suites.read(suites.FOLDER / "marts" / "topic_surges.yml"), rule)[rule].verdict == verdict


@pytest.mark.postgres
@pytest.mark.parametrize("mart", ["audit_pairs", "fct_queue_visits", "fct_ratings"])
def test_a_contact_of_another_month_is_found_too(url, conn, mart):
    conn.execute("update candidate.fct_contacts set business_day = business_day - 60")
    conn.commit()
    rule = f"{mart}.orphan.contact_id"
    assert judge(url, suites.read(suites.FOLDER / "marts" / f"{mart}.yml"), rule)[rule].verdict == "pass"


def restore(conn):
    for table, made in SOUND.items():
        conn.execute(f"truncate candidate.{table}")
        for row in made:
            insert(conn, f"candidate.{table}", row)
    conn.commit()


@pytest.mark.postgres
@pytest.mark.parametrize("mart", MARTS)
@pytest.mark.parametrize(
    ("usual", "today", "collapse", "halved"),
    [(100, 0, "fail", "warn"), (100, 49, "pass", "warn"), (100, 50, "pass", "pass"), (9, 0, "pass", "pass")],
)
def test_a_collapse_is_held_and_a_half_empty_day_is_told(url, conn, mart, usual, today, collapse, halved):
    suite = suites.read(suites.FOLDER / "marts" / f"{mart}.yml")
    measure = "visits_answered" if mart.startswith("operator") else "contacts_entered"
    publish_usual_weeks(conn, mart, usual)
    conn.execute(f"update candidate.{mart} set {measure} = %s", (today,))
    conn.commit()
    found = {n: judge(url, suite, f"{mart}.drop.{n}")[f"{mart}.drop.{n}"].verdict for n in ("collapse", "halved")}
    assert found == {"collapse": collapse, "halved": halved}


@pytest.mark.postgres
@pytest.mark.parametrize(
    "excuse",
    [
        "insert into ops.setting_holidays values ('*', '2026-03-02')",
        "update candidate.branch_quality_daily set status = 'partial'",
        "insert into marts.branch_quality_daily (contacts_entered, business_day) values (0, '2026-03-02')",
        "delete from marts.branch_quality_daily where business_day < '2026-02-15'",
    ],
    ids=["listed holiday", "loaded in part", "published like this before", "too few comparable days"],
)
def test_an_empty_day_with_a_reason_is_no_collapse(url, conn, excuse):
    suite = suites.read(suites.FOLDER / "marts" / "branch_quality_daily.yml")
    rule = "branch_quality_daily.drop.collapse"
    publish_usual_weeks(conn, "branch_quality_daily", 100)
    conn.execute("update candidate.branch_quality_daily set contacts_entered = 0")
    conn.commit()
    assert judge(url, suite, rule)[rule].verdict == "fail"
    conn.execute(excuse)
    conn.commit()
    assert judge(url, suite, rule)[rule].verdict == "pass"
