"""The gate: verdicts, quarantine, and every way in which Great Expectations would let bad data pass."""

from __future__ import annotations

from datetime import timedelta

import pytest
import yaml
from landed import MONDAY, NOW, all_rows, batch, day_window, emptied, land, one, rows
from service_quality import config, gate, ops, promote, suites
from service_quality.contract import BY_NAME, TABLES, Source
from service_quality.gate import GateError, Limit, NotJudged
from service_quality.suites import SuiteError

SETTINGS = config.Settings()
ROWS = {"id": "t.rows", "type": "expect_table_row_count_to_be_between", "kwargs": {"min_value": 0, "max_value": 10**9}}


@pytest.fixture
def conn(prepared_url):
    with emptied(prepared_url) as conn:
        yield conn


def rule(type_, column=None, severity="critical", id_="t.rule", **more):
    kwargs = more.pop("kwargs", {})
    if column:
        kwargs = {"column": column, **kwargs}
    given = {"id": id_, "type": type_, "severity": severity, "kwargs": kwargs, "action": "mend it"}
    return {"why": "Because of the reason it has.", "owner": "somebody", **given, **more}


def suite_of(*rules):
    return suites.Suite.model_validate(
        {"suite": "s", "table": {"schema": "landing", "name": "t"}, "expectations": [*rules, rule(**_marks(ROWS))]}
    )


def _marks(given):
    return {"type_": given["type"], "id_": given["id"], "kwargs": given["kwargs"]}


def write(folder, table, *rules):
    content = {"suite": "s", "table": {"schema": "landing", "name": table},
               "expectations": [*rules, rule(**_marks(ROWS))]}  # fmt: skip
    (folder / f"{table}.yml").write_text(yaml.safe_dump(content))
    return folder


def judge(conn, load, *tables, folder=suites.FOLDER / "landing", now=NOW, settings=SETTINGS):
    return gate.judge_load(conn, load, settings, [BY_NAME[t] for t in tables], folder, now)


def by_id(results):
    return {r.rule_id: r for r in results}


def landed_operators(conn, count, **changes):
    return land(conn, Source.CRM, [batch("operators", rows("operators", count, **changes))], ["operators"])


def judged(conn, tmp_path, count, *rules, **changes):
    """Verdict by rule of ``rules`` on so many operators."""
    load = landed_operators(conn, count, **changes)
    return by_id(judge(conn, load, "operators", folder=write(tmp_path, "operators", *rules)).results)


PRESENT = "expect_column_values_to_not_be_null"
IN_SET = "expect_column_values_to_be_in_set"


# ---- the suites of the house


@pytest.mark.parametrize("source", list(Source))
def test_sound_rows_pass_every_rule_of_every_table(conn, source):
    names = [t.name for t in TABLES if t.source is source]
    load = land(conn, source, [batch(n, rows(n, 4, **_stated(n))) for n in names], names)
    verdict = judge(conn, load, *names)
    assert verdict.message is None and not verdict.is_held
    odd = [(r.rule_id, r.verdict, r.observed) for r in verdict.results if r.verdict not in ("pass", "not_judged")]
    assert odd == []
    rules = sum(len(suites.read(suites.FOLDER / "landing" / f"{n}.yml").expectations) for n in names)
    assert len(verdict.results) == rules == one(conn, "select count(*) from ops.gate_results")
    assert ops.get_load(conn, load.load_id).status == "gated"


def _stated(name):
    answers = {"is_first_contact": "yes", "is_solved": "no", "attempt_outcome": "no_answer"}
    return answers if name == "survey_responses" else {}


SPOILED = {
    "branches": {"time_zone": "Europe/Moskau"},
    "operators": {"operator_id": "NONE"},
    "operator_branches": {"branch_id": None},
    "operator_aliases": {"alias": "NONE"},
    "subscribers": {"subscriber_id": None},
    "topics": {"topic_class": "sales"},
    "wrap_ups": {"noted_at": None},
    "tickets": {"kind": "incident"},
    "ticket_events": {"event": "escalated"},
    "connections": {"connected_at": MONDAY - timedelta(days=9)},
    "evaluations": {"tone": "angry"},
    "evaluation_items": {"score": 3.0},
    "queue_log": {"_problems": "event_at: no time in 'x'", "event_at": None},
    "cdr": {"duration": "OK"},
    "ivr_ratings": {"criterion": "speed"},
    "survey_responses": {"survey_kind": "exit"},
}


@pytest.mark.parametrize("table", list(SPOILED))
def test_one_bad_row_goes_to_quarantine_and_the_load_goes_on(conn, table):
    given = rows(table, 30)
    given[7].update(SPOILED[table])
    load = land(conn, BY_NAME[table].source, [batch(table, given)], [table])
    verdict = judge(conn, load, table)
    assert not verdict.is_held
    assert {r.verdict for r in verdict.results} >= {"quarantine"}
    assert all_rows(conn, "select distinct row_no from ops.load_bad_rows") == [(8,)]
    done = promote.promote(conn, ops.get_load(conn, load.load_id), "p", SETTINGS.provider.phone)[table]
    assert (done["rows_raw"], done["rows_quarantined"]) == (29, 1)
    assert one(conn, f"select _rule_ids from quarantine.{table}")[0].startswith(f"{table}.")


def test_unknown_verbs_are_counted_and_kept(conn):
    given = rows("queue_log", 20, event=lambda n: "NEWVERB" if n < 15 else "CONNECT")
    load = land(conn, Source.TELEPHONY, [batch("queue_log", given)], ["queue_log"])
    verdict = judge(conn, load, "queue_log")
    found = by_id(verdict.results)["queue_log.vocabulary.event"]
    assert (found.verdict, found.rows_failed) == ("warn", 15) and "NEWVERB" in found.observed
    assert not verdict.is_held and one(conn, "select count(*) from ops.load_bad_rows") == 0


def test_a_time_zone_name_the_database_does_not_know_is_caught(conn):
    given = rows("branches", 2, time_zone=lambda n: ["Asia/Yekaterinburg", "MSK+3"][n])
    load = land(conn, Source.CRM, [batch("branches", given)], ["branches"])
    assert by_id(judge(conn, load, "branches").results)["branches.vocabulary.time_zone"].verdict == "quarantine"


def test_an_empty_log_on_a_working_day_is_held_and_on_a_day_off_believed(conn):
    load = land(conn, Source.TELEPHONY, [], ["queue_log"])
    verdict = judge(conn, load, "queue_log")
    assert [r.rule_id for r in verdict.results if r.verdict == "fail"] == ["queue_log.volume.present"]
    sunday = land(conn, Source.TELEPHONY, [], ["queue_log"], day_window(6))
    assert not judge(conn, sunday, "queue_log").is_held


def test_seven_minutes_of_a_day_are_a_fine_first_load(conn):
    given = rows("queue_log", 400, event_at=lambda n: MONDAY + timedelta(hours=11, seconds=n))
    load = land(conn, Source.TELEPHONY, [batch("queue_log", given)], ["queue_log", "cdr"])
    verdict = judge(conn, load, "queue_log", "cdr")
    assert not verdict.is_held
    states = {r.rule_id: r.verdict for r in verdict.results}
    assert states["queue_log.freshness.last_row"] == states["queue_log.volume.low"] == "not_judged"


def test_half_a_night_is_held_and_says_all_that_a_person_needs(conn):
    for n in range(21):
        given = rows("queue_log", 100, line_no=lambda k, n=n: n * 1000 + k,
                     event_at=lambda k, n=n: MONDAY + timedelta(days=n, minutes=14 * k))  # fmt: skip
        load = land(conn, Source.TELEPHONY, [batch("queue_log", given)], ["queue_log"], day_window(n))
        conn.execute("update ops.loads set started_at = window_end where load_id = %s", (load.load_id,))
        conn.commit()
        if n in (0, 20):
            assert not judge(conn, load, "queue_log").is_held
        else:
            ops.set_load(conn, load.load_id, "gated", time_zone="UTC")
        promote.promote(conn, ops.get_load(conn, load.load_id), "p", SETTINGS.provider.phone)
    half = rows("queue_log", 40, line_no=lambda k: 90_000 + k,
                event_at=lambda k: MONDAY + timedelta(days=21, minutes=14 * k))  # fmt: skip
    load = land(conn, Source.TELEPHONY, [batch("queue_log", half)], ["queue_log"], day_window(21))
    verdict = judge(conn, load, "queue_log")
    assert {r.rule_id for r in verdict.results if r.verdict == "fail"} == {
        "queue_log.volume.low", "queue_log.freshness.last_row",
    }  # fmt: skip
    stored = ops.get_load(conn, load.load_id)
    assert stored.status == "held" and stored.message == verdict.message
    for part in (
        f"Load {load.load_id} of telephony", "2 critical rules failed", "queue_log.volume.low",
        "owner: telephony administrator", "observed: 40", "at least 50 rows", "usual is 100", "why:", "to do:",
        f"quality release {load.load_id}", f"quality reject {load.load_id}", "load the window again",
    ):  # fmt: skip
        assert part in verdict.message


# ---- rows, tolerance, quarantine


def test_rows_that_break_a_rule_within_its_tolerance_are_quarantined(conn, tmp_path):
    found = judged(conn, tmp_path, 100, rule(PRESENT, "operator_name", mostly=0.95),
                   operator_name=lambda n: None if n < 5 else "A")["t.rule"]  # fmt: skip
    assert (found.verdict, found.rows_checked, found.rows_failed) == ("quarantine", 100, 5)
    assert all_rows(conn, "select table_name, row_no, rule_ids from ops.load_bad_rows order by 2") == [
        ("operators", n, ["t.rule"]) for n in range(1, 6)
    ]


def test_below_its_tolerance_a_rule_holds_the_load_and_the_rows_are_still_listed(conn, tmp_path):
    found = judged(conn, tmp_path, 100, rule(PRESENT, "operator_name", mostly=0.95),
                   operator_name=lambda n: None if n < 6 else "A")["t.rule"]  # fmt: skip
    assert found.verdict == "fail" and "6 of 100 rows (6.00%)" in found.observed
    assert one(conn, "select count(*) from ops.load_bad_rows") == 6


def test_one_bad_row_among_few_does_not_hold_but_without_tolerance_it_does(conn, tmp_path):
    bad = {"operator_name": lambda n: None if n == 0 else "A"}
    for tolerance, verdict in (({"mostly": 0.9}, "quarantine"), ({"mostly": 1.0}, "fail"), ({}, "fail")):
        found = judged(conn, tmp_path, 3, rule(PRESENT, "operator_name", **tolerance), **bad)
        assert found["t.rule"].verdict == verdict


def test_nulls_are_not_counted_as_checked_by_rules_on_values(conn, tmp_path):
    found = judged(conn, tmp_path, 10, rule(IN_SET, "operator_name", mostly=0.6, kwargs={"value_set": ["A"]}),
                   operator_name=lambda n: None if n < 5 else "A" if n < 8 else "B")["t.rule"]  # fmt: skip
    assert (found.verdict, found.rows_checked, found.rows_failed) == ("quarantine", 5, 2)


def test_warnings_never_hold_and_never_quarantine(conn, tmp_path):
    load = landed_operators(conn, 5, operator_name=None)
    folder = write(tmp_path, "operators", rule(PRESENT, "operator_name", "warning"))
    verdict = judge(conn, load, "operators", folder=folder)
    assert by_id(verdict.results)["t.rule"].verdict == "warn"
    assert not verdict.is_held and one(conn, "select count(*) from ops.load_bad_rows") == 0


def test_a_row_that_breaks_several_rules_is_listed_with_all_of_them(conn, tmp_path):
    judged(conn, tmp_path, 9, rule(PRESENT, "operator_name", id_="t.a", mostly=0.5),
           rule("expect_column_values_to_be_null", "_problems", id_="t.b", mostly=0.5),
           operator_name=lambda n: None if n == 4 else "A",
           _problems=lambda n: "x" if n in (4, 5) else None)  # fmt: skip
    listed = all_rows(conn, "select row_no, rule_ids from ops.load_bad_rows order by 1")
    assert listed == [(5, ["t.a", "t.b"]), (6, ["t.b"])]


def test_personal_values_never_stand_in_the_results(conn, tmp_path):
    phone = rule("expect_column_values_to_match_regex", "phone", id_="t.phone", mostly=0.5, kwargs={"regex": "^x$"})
    problem = rule("expect_column_values_to_be_null", "_problems", id_="t.problem", mostly=0.5)
    given = rows("subscribers", 4, phone="Ivan 89161234567")
    given[0]["_problems"] = "phone: no number in '8 916 123-45-67'"
    load = land(conn, Source.CRM, [batch("subscribers", given)], ["subscribers"])
    judge(conn, load, "subscribers", folder=write(tmp_path, "subscribers", phone, problem))
    found = all_rows(conn, "select r::text from ops.gate_results as r union all select l::text from ops.loads as l")
    texts = [r[0] for r in found]
    assert not [t for t in texts if "916" in t or "123-45" in t or "Ivan" in t]
    assert any("phone: no number" in t for t in texts)


def test_a_load_can_be_judged_again_after_the_rule_was_fixed(conn, tmp_path):
    strict = rule(PRESENT, "operator_name")
    load = landed_operators(conn, 4, operator_name=lambda n: None if n == 0 else "A")
    assert judge(conn, load, "operators", folder=write(tmp_path, "operators", strict)).is_held
    held = ops.get_load(conn, load.load_id)
    assert held.status == "held"
    again = judge(conn, held, "operators", folder=write(tmp_path, "operators", strict | {"mostly": 0.5}))
    assert not again.is_held
    assert ops.get_load(conn, load.load_id).status == "gated" and ops.get_load(conn, load.load_id).message is None
    assert one(conn, "select count(*) from ops.gate_results where rule_id = 't.rule'") == 1


@pytest.mark.parametrize("status", ["promoted", "rejected", "superseded", "failed"])
def test_a_load_that_is_done_is_not_judged(conn, status):
    load = landed_operators(conn, 1)
    ops.set_load(conn, load.load_id, status, rows_raw=1, rows_unchanged=0, rows_quarantined=0)
    conn.commit()
    with pytest.raises(GateError, match=f"is {status}"):
        judge(conn, ops.get_load(conn, load.load_id), "operators")


# ---- ways in which Great Expectations fails open


def naive(conn, load, expectations, result_format="BASIC"):
    """What Great Expectations itself says."""
    from great_expectations.core import ExpectationSuite

    with gate.datasource(ops.url_of(conn)) as source:
        found = source.table("landing", ops.partition("operators", load.load_id))
        return found.validate(ExpectationSuite(name="n", expectations=expectations), result_format=result_format)


def test_an_unknown_expectation_is_an_error(conn, tmp_path):
    load = landed_operators(conn, 1, operator_name=None)
    typo = "expect_column_values_to_not_be_nul"
    dropped = naive(conn, load, [{"type": typo, "kwargs": {"column": "operator_name"}}])
    assert dropped.success and dropped.results == []  # this is why
    with pytest.raises(SuiteError, match=typo):
        judge(conn, load, "operators", folder=write(tmp_path, "operators", rule(typo, "operator_name")))
    assert ops.get_load(conn, load.load_id).status == "landing"


def test_a_rule_that_great_expectations_loses_is_an_error(conn, tmp_path, monkeypatch):
    from great_expectations.core import ExpectationSuite

    made = ExpectationSuite.__init__

    def losing(self, name, expectations=(), **more):
        made(self, name, expectations=list(expectations)[1:], **more)

    load = landed_operators(conn, 1)
    monkeypatch.setattr(ExpectationSuite, "__init__", losing)
    with pytest.raises(SuiteError, match="took 1 of 2 rules"):
        judge(conn, load, "operators", folder=write(tmp_path, "operators", rule(PRESENT, "operator_id")))


def test_an_empty_suite_is_an_error(conn, tmp_path):
    load = landed_operators(conn, 1)
    assert naive(conn, load, []).success  # this is why
    (tmp_path / "operators.yml").write_text("suite: s\ntable: {schema: landing, name: operators}\nexpectations: []\n")
    with pytest.raises(SuiteError, match="at least 1"):
        judge(conn, load, "operators", folder=tmp_path)


def test_a_missing_suite_is_an_error_and_nothing_is_judged(conn, tmp_path):
    load = land(conn, Source.CRM, [], ["operators", "topics"])
    write(tmp_path, "operators", rule(PRESENT, "operator_id"))
    with pytest.raises(SuiteError, match=r"topics\.yml: there is no such suite"):
        judge(conn, load, "operators", "topics", folder=tmp_path)
    assert ops.get_load(conn, load.load_id).status == "landing"
    assert one(conn, "select count(*) from ops.gate_results") == 0


def test_an_empty_table_passes_all_rules_but_the_number_of_rows(conn, tmp_path):
    load = landed_operators(conn, 0)
    present = {"type": PRESENT, "kwargs": {"column": "operator_id"}}
    assert naive(conn, load, [present]).success  # this is why
    some = rule("expect_table_row_count_to_be_between", kwargs={"min_value": 1})
    folder = write(tmp_path, "operators", rule(PRESENT, "operator_id", id_="t.p"), some)
    verdict = judge(conn, load, "operators", folder=folder)
    assert {r.rule_id: r.verdict for r in verdict.results} == {"t.p": "pass", "t.rule": "fail", "t.rows": "pass"}


@pytest.mark.parametrize("severity", ["warning", "critical"])
@pytest.mark.parametrize("type_", [PRESENT, "expect_column_max_to_be_between"])
def test_a_missing_column_fails_whatever_the_severity(conn, tmp_path, severity, type_):
    kwargs = {"max_value": 1} if "max" in type_ else {}
    verdict = judged(conn, tmp_path, 2, rule(type_, "salary", severity, kwargs=kwargs))["t.rule"]
    assert verdict.verdict == "fail"
    assert verdict.observed.startswith("could not be judged:") and "salary" in verdict.observed


def test_all_bad_rows_are_listed_not_the_first_twenty(conn, tmp_path):
    load = landed_operators(conn, 300, operator_name=lambda n: None if n < 60 else "A")
    listing = {"result_format": "COMPLETE", "unexpected_index_column_names": ["_row_no"]}
    cut = naive(conn, load, [{"type": PRESENT, "kwargs": {"column": "operator_name"}}], listing)
    assert len(cut.results[0].result["unexpected_index_list"]) == 20  # this is why
    judge(conn, load, "operators", folder=write(tmp_path, "operators", rule(PRESENT, "operator_name", mostly=0.5)))
    assert one(conn, "select count(*) from ops.load_bad_rows") == 60


def test_a_list_that_is_cut_nevertheless_holds_the_load_and_forbids_its_release(conn, tmp_path, monkeypatch):
    whole = gate._index_list
    monkeypatch.setattr(gate, "_index_list", lambda *given: whole(*given)[:20])
    load = landed_operators(conn, 300, operator_name=lambda n: None if n < 60 else "A")
    folder = write(tmp_path, "operators", rule(PRESENT, "operator_name", mostly=0.5))
    verdict = judge(conn, load, "operators", folder=folder)
    assert verdict.is_held and "60 rows break it but 20 could be listed" in verdict.message
    with pytest.raises(promote.PromoteError, match="not listed"):
        promote.release(conn, load.load_id, "Olga", "p", SETTINGS.provider.phone)


def test_more_bad_rows_than_can_be_listed_hold_the_load(conn, tmp_path, monkeypatch):
    monkeypatch.setattr(gate, "MOST_LISTED_ROWS", 5)
    found = judged(conn, tmp_path, 100, rule(PRESENT, "operator_name", mostly=0.5),
                   operator_name=lambda n: None if n < 6 else "A")["t.rule"]  # fmt: skip
    assert found.verdict == "fail" and "more than 5 rows break it" in found.observed


@pytest.mark.parametrize("type_", ["expect_compound_columns_to_be_unique", "expect_column_values_to_be_unique"])
def test_every_member_of_a_group_of_duplicates_is_quarantined(conn, tmp_path, type_):
    kwargs = {"column_list": ["operator_id", "updated_at"]} if "compound" in type_ else {"column": "operator_id"}
    found = judged(conn, tmp_path, 40, rule(type_, mostly=0.5, kwargs=kwargs),
                   operator_id=lambda n: "twice" if n in (3, 30) else None if n in (5, 6) else f"o{n}",
                   updated_at=lambda n: MONDAY if n not in (5, 6) else None)  # fmt: skip
    assert (found["t.rule"].verdict, found["t.rule"].rows_failed) == ("quarantine", 2)
    assert all_rows(conn, "select row_no from ops.load_bad_rows order by 1") == [(4,), (31,)]


@pytest.mark.parametrize(("lines", "twins"), [
    (lambda k: 200 - k, 0),  # each once, in whatever order; 64 lines apart is not the same line
    (lambda k: 7 if k == 199 else k, 2),
])  # fmt: skip
def test_a_line_that_is_there_twice_is_seen_however_far_apart_its_rows_are(conn, lines, twins):
    given = rows("queue_log", 200, line_no=lines, event_at=lambda n: MONDAY + timedelta(seconds=n))
    load = land(conn, Source.TELEPHONY, [batch("queue_log", given)], ["queue_log"])
    found = {r.rule_id: r for r in judge(conn, load, "queue_log").results}["queue_log.key.unique"]
    assert (found.rows_checked, found.rows_failed) == (200, twins)


def test_a_failed_warning_does_not_make_the_whole_fail(conn, tmp_path):
    load = landed_operators(conn, 2, operator_name=None)
    warning = rule(PRESENT, "operator_name", "warning")
    plain = {"type": PRESENT, "kwargs": {"column": "operator_name"}, "severity": "warning"}
    assert not naive(conn, load, [plain]).success  # this is why
    assert not judge(conn, load, "operators", folder=write(tmp_path, "operators", warning)).is_held


@pytest.mark.parametrize(("bad", "message"), [
    (rule("expect_table_row_count_to_be_between", mostly=0.5, kwargs={"min_value": 1}), "about the whole table"),
    (rule(PRESENT, "operator_id", kwargs={"colour": "red"}), "colour"),
    (rule("expect_column_max_to_be_between", "updated_at", kwargs={"min_value": {"$PARAMETER": "later"}}),
     "no parameter later"),
])  # fmt: skip
def test_a_rule_that_means_nothing_is_an_error(conn, tmp_path, bad, message):
    load = landed_operators(conn, 1)
    with pytest.raises(SuiteError, match=message):
        judge(conn, load, "operators", folder=write(tmp_path, "operators", bad))


def test_what_was_landed_is_judged_wholly_or_not_at_all(conn):
    load = land(conn, Source.CRM, [], ["operators", "topics"])
    with pytest.raises(GateError, match="has landed operators, topics, but to be judged are operators"):
        judge(conn, load, "operators")
    with pytest.raises(GateError, match="to be judged are branches, operators, topics"):
        judge(conn, load, "operators", "topics", "branches")


def test_landed_rows_that_are_gone_are_not_judged_as_an_empty_table(conn):
    load = landed_operators(conn, 3)
    conn.execute(f"drop table landing.operators__{load.load_id}")
    conn.commit()
    with pytest.raises(GateError, match="is gone, 3 rows were landed there"):
        judge(conn, load, "operators")


# ---- relations that are no loads


@pytest.fixture
def mart(conn, prepared_url):
    conn.execute("drop table if exists candidate.m cascade; create table candidate.m as"
                 " select g as id, date '2026-03-01' + g % 10 as business_day, g % 4 as calls"
                 " from generate_series(1, 100) as g;"
                 " create view candidate.v as select * from candidate.m")  # fmt: skip
    conn.commit()
    yield prepared_url
    conn.rollback()
    conn.execute("drop table candidate.m cascade")
    conn.commit()


def test_a_table_a_view_and_a_query_can_be_judged(mart):
    suite = suite_of(rule("expect_column_values_to_be_between", "calls", kwargs={"max_value": 2}, mostly=0.5))
    for relation in ("m", "v"):
        found = by_id(gate.judge_relation(mart, suite, "candidate", relation))
        assert (found["t.rule"].verdict, found["t.rule"].rows_failed) == ("warn", 25)
    query = "select * from candidate.m where business_day = date '2026-03-02'"
    found = by_id(gate.judge_relation(mart, suite, "candidate", "m", query=query))
    assert found["t.rule"].rows_checked == 10 and found["t.rows"].observed == "10"


def test_parameters_are_plain_or_limits_or_say_why_there_are_none(mart):
    def least(name):
        return rule("expect_table_row_count_to_be_between", id_=f"t.{name}", kwargs={"min_value": {"$PARAMETER": name}})

    given = {"plain": 5, "limit": Limit(500, "five hundred at least"), "none": NotJudged("no history")}
    found = by_id(gate.judge_relation(mart, suite_of(*map(least, given)), "candidate", "m", given))
    assert found["t.plain"].verdict == "pass"
    assert (found["t.limit"].verdict, found["t.limit"].expected) == ("fail", "five hundred at least")
    assert (found["t.none"].verdict, found["t.none"].observed) == ("not_judged", "no history")


def test_rows_that_a_query_finds_are_counted(mart):
    query = {"unexpected_rows_query": "select id from {batch} where calls > 2"}
    suite = suite_of(rule("unexpected_rows_expectation", kwargs=query))
    found = by_id(gate.judge_relation(mart, suite, "candidate", "m"))
    assert (found["t.rule"].verdict, found["t.rule"].observed) == ("fail", "25")


def test_a_relation_that_is_not_there_is_no_pass(mart):
    with pytest.raises(Exception, match="nothing"):
        gate.judge_relation(mart, suite_of(rule(PRESENT, "id")), "candidate", "nothing")


def test_results_of_a_build_are_stored(conn, mart):
    build = one(conn, "insert into ops.builds (status, load_ids, touched_days, settings_hash)"
                      " values ('planned', '{}', '{}', '') returning build_id")  # fmt: skip
    results = gate.judge_relation(mart, suite_of(rule(PRESENT, "id")), "candidate", "m")
    gate.store_results(conn, results, build_id=build)
    assert all_rows(conn, "select build_id, table_name, verdict from ops.gate_results order by rule_id") == [
        (build, "m", "pass"), (build, "m", "pass"),
    ]  # fmt: skip


def test_passwords_and_sockets_survive_the_way_to_sqlalchemy():
    from sqlalchemy import make_url

    url = make_url(gate._sqlalchemy_url("postgresql://u:p%24%40w@h:5433/d?sslmode=require"))
    assert (url.drivername, url.password) == ("postgresql+psycopg", "p$@w")
    assert (url.host, url.port, url.database) == ("h", 5433, "d")
    assert url.query == {"sslmode": "require"}
    assert "$" not in gate._sqlalchemy_url("postgresql://u:p%24%40w@h:5433/d")
    assert make_url(gate._sqlalchemy_url("host=/run/pg user=u dbname=d")).query["host"] == "/run/pg"
