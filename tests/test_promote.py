from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from landed import MONDAY, all_rows, batch, day_window, emptied, land, one, rows
from psycopg import sql
from service_quality import ops, promote
from service_quality.config import Phone
from service_quality.contract import BY_NAME, TABLES, Source

PEPPER = "pepper"
PHONE = Phone()


@pytest.fixture
def conn(prepared_url):
    with emptied(prepared_url) as conn:
        yield conn


def gated(conn, source, extracted, tables, window=None, bad=None):
    """A load as the gate leaves it; ``bad``: {(table, row): rule ids}."""
    load = land(conn, source, extracted, tables, window)
    for (table, row), rules in (bad or {}).items():
        conn.execute(
            "insert into ops.load_bad_rows values (%s, %s, %s, %s)", (load.load_id, table, row, rules)
        )
    ops.set_load(conn, load.load_id, "gated", time_zone="Europe/Moscow")
    conn.commit()
    return ops.get_load(conn, load.load_id)


def promoted(conn, source, extracted, tables, window=None, bad=None):
    load = gated(conn, source, extracted, tables, window, bad)
    return load, promote.promote(conn, load, PEPPER, PHONE)


def operator(name, hour, key="o1"):
    return {"operator_id": key, "operator_name": name, "updated_at": MONDAY + timedelta(hours=hour)}


def load_operators(conn, *given, days=0, bad=None):
    return promoted(conn, Source.CRM, [batch("operators", given)], ["operators"], day_window(days), bad)[1]["operators"]


def present(conn, table="operators", column="operator_name"):
    return [r[0] for r in all_rows(conn, f"select {column} from raw.{table} where _superseded_at is null order by 1")]


def counts(count):
    return (count["rows_raw"], count["rows_unchanged"], count["rows_quarantined"])


def test_a_changed_record_supersedes_the_old_one_in_the_same_instant(conn):
    load_operators(conn, operator("Anna", 1))
    assert counts(load_operators(conn, operator("Anna B.", 2), days=1)) == (1, 0, 0)
    assert present(conn) == ["Anna B."]
    assert one(conn, "select count(*) from raw.operators as old inner join raw.operators as new"
                     " on old._superseded_at = new._loaded_at where old.operator_name = 'Anna'") == 1  # fmt: skip


def test_an_older_version_that_arrives_late_is_kept_but_overwrites_nothing(conn):
    load_operators(conn, operator("new", 5))
    assert counts(load_operators(conn, operator("old", 1), days=1)) == (1, 0, 0)
    assert present(conn) == ["new"]
    assert counts(load_operators(conn, operator("old", 1), days=2)) == (0, 1, 0)
    assert one(conn, "select count(*) from raw.operators") == 2


def test_several_versions_within_a_load_are_all_kept_in_their_order(conn):
    done = load_operators(conn, operator("third", 3), operator("first", 1), operator("second", 2))
    assert counts(done) == (3, 0, 0)
    assert present(conn) == ["third"]


def test_an_unchanged_window_writes_nothing(conn):
    given = [operator("first", 1), operator("second", 2), operator("Olga", 1, "o2")]
    load_operators(conn, *given)
    before = all_rows(conn, "select xmin::text, * from raw.operators order by operator_id, updated_at")
    assert counts(load_operators(conn, *reversed(given))) == (0, 3, 0)
    assert all_rows(conn, "select xmin::text, * from raw.operators order by operator_id, updated_at") == before


def test_the_same_version_with_other_content_is_taken_from_the_later_reading(conn):
    for name in ("A", "B", "A"):
        assert counts(load_operators(conn, operator(name, 1))) == (1, 0, 0)
        assert present(conn) == [name]


def test_copies_within_a_load_are_written_once(conn):
    assert counts(load_operators(conn, operator("A", 1), operator("A", 1), operator("A", 1))) == (1, 2, 0)


def test_a_row_without_key_or_version_goes_to_quarantine_even_without_a_rule(conn):
    done = load_operators(conn, operator("nobody", 1, None), {"operator_id": "o1", "operator_name": "undated"})
    assert counts(done) == (0, 0, 2)
    assert all_rows(conn, "select distinct _rule_ids from quarantine.operators") == [(["operators.promote.key"],)]


def test_bad_rows_go_to_quarantine_with_their_rules_and_the_rest_to_raw(conn):
    bad = {("operators", 2): ["operators.a", "operators.b"]}
    done = load_operators(conn, operator("A", 1), operator("B", 1, "o2"), operator("C", 1, "o3"), bad=bad)
    assert counts(done) == (2, 0, 1)
    assert present(conn) == ["A", "C"]
    assert all_rows(conn, "select operator_name, _rule_ids, _row_no, _source_ref from quarantine.operators") == [
        ("B", ["operators.a", "operators.b"], 2, "operators:1")
    ]
    assert one(conn, "select count(*) from ops.load_bad_rows") == 0


def test_a_sound_copy_of_a_quarantined_row_ends_its_waiting(conn):
    load_operators(conn, operator("bad", 1), bad={("operators", 1): ["r"]})
    load_operators(conn, operator("bad", 1), bad={("operators", 1): ["r"]})
    assert one(conn, "select count(*) from quarantine.operators where _released_at is null") == 1
    load_operators(conn, operator("good", 1))
    assert one(conn, "select count(*) from quarantine.operators where _released_at is null") == 0
    assert one(conn, "select count(*) from quarantine.operators") == 2


def load_lines(conn, *given, days=0):
    extracted = [batch("queue_log", given)]
    return promoted(conn, Source.TELEPHONY, extracted, ["queue_log"], day_window(days))[1]["queue_log"]


def test_a_line_is_written_once_wherever_its_place_in_the_whole_log_is(conn):
    line = rows("queue_log", 1)[0]
    assert counts(load_lines(conn, line)) == (1, 0, 0)
    assert counts(load_lines(conn, line | {"log_seq": 900})) == (0, 1, 0)


def test_a_line_read_again_with_a_corrected_time_zone_supersedes_its_wrong_reading(conn):
    line = rows("queue_log", 1)[0]
    load_lines(conn, line)
    moved = MONDAY + timedelta(hours=3)
    assert counts(load_lines(conn, line | {"event_at": moved})) == (1, 0, 0)
    assert present(conn, "queue_log", "event_at") == [moved]


def test_a_line_number_used_again_for_another_event_goes_to_quarantine(conn):
    line = rows("queue_log", 1)[0]
    load_lines(conn, line)
    again = load_lines(conn, line | {"time_text": "1772496000", "event_at": MONDAY + timedelta(days=1)}, days=1)
    assert counts(again) == (0, 0, 1)
    assert one(conn, "select _rule_ids from quarantine.queue_log") == ["queue_log.promote.written_once"]
    assert present(conn, "queue_log", "event_at") == [MONDAY]


@pytest.mark.parametrize("line_no", [2, 900, 100_000])
def test_lines_of_a_file_are_recognised_however_far_apart_they_lie(conn, line_no):
    first, second = (line | {"file_id": "f"} for line in rows("queue_log", 2))
    second |= {"line_no": line_no}
    between = [first | {"line_no": n, "file_id": file_id} for n, file_id in ((line_no, "g"), (1, "e"))]
    load_lines(conn, first, second, *between)
    other = second | {"time_text": "1772496000", "event_at": MONDAY + timedelta(days=1)}
    assert counts(load_lines(conn, first, second | {"line_no": line_no + 1})) == (1, 1, 0)
    assert counts(load_lines(conn, first, other)) == (0, 1, 1)
    assert one(conn, "select count(*) from raw.queue_log") == 5


def test_a_number_in_any_form_gives_one_hash_and_no_number_gives_none(conn):
    forms = ["+7 (916) 123-45-67", "89161234567", "79161234567", "9161234567", "sip:+79161234567@10.0.0.1"]
    none = ["anonymous", "", None, "1042", "Restricted"]
    given = rows("subscribers", len(forms + none), phone=lambda n: (forms + none)[n])
    promoted(conn, Source.CRM, [batch("subscribers", given)], ["subscribers"])
    found = [r[0] for r in all_rows(conn, "select phone_hash from raw.subscribers order by _row_no")]
    assert found == [hashlib.sha256(b"pepper79161234567").hexdigest()] * len(forms) + [None] * len(none)


def test_numbers_of_another_country_follow_its_plan(conn):
    given = rows("subscribers", 2, phone=lambda n: ["0301234567", "49301234567"][n])
    load = gated(conn, Source.CRM, [batch("subscribers", given)], ["subscribers"])
    promote.promote(conn, load, PEPPER, Phone(country_code="49", trunk_prefix="0", national_digits=9))
    assert len({r[0] for r in all_rows(conn, "select phone_hash from raw.subscribers")}) == 1


NUMBERS = ("9161234567", "8916", "123-45-67", "123 45 67", "ivan@mail")
TEXTS = {
    "перезвонить на 8 (916) 123-45-67, вечером": "перезвонить на ***, вечером",
    "тел.89161234567.": "тел.***.",
    "тел-+7 916 123 45 67": "тел-***",
    "8.916.123.45.67 или ivan@mail.ru": "*** или [e-mail]",
    "+7\u00a0916\u00a0123\u00a045\u00a067": "***",
    "SIP/79161234567-0000001a": "SIP/***-0000001a",
    "Local/1001@agents-00000012;1": "Local/1001@agents-00000012;1",
    "PJSIP/1001-00000012": "PJSIP/1001-00000012",
    "1|1772409600.123|12": "1|1772409600.123|12",
    "pbx1-1772409600.1234567": "pbx1-1772409600.1234567",
    "uid 1772409600.12 89161234567": "uid 1772409600.12 ***",
    "rating=5454;qs=FULL": "rating=5454;qs=FULL",
    "договор 123456, 2201": "договор 123456, 2201",
    "35|1772409600.12|4": "35|1772409600.12|4",
    "35|1772409600.12|89161234567": "35|1772409600.12|***",
    "1772409600.12 89161234567|4": "1772409600.12 ***|4",
    "123456|7": "123456|7",
    "a@b.ru": "[e-mail]",
}


def test_free_text_loses_numbers_and_addresses_but_keeps_ids_of_channels(conn):
    given = rows("survey_responses", len(TEXTS), updated_at=MONDAY, comment=lambda n: list(TEXTS)[n])
    promoted(conn, Source.SURVEY, [batch("survey_responses", given)], ["survey_responses"])
    found = [r[0] for r in all_rows(conn, "select comment from raw.survey_responses order by _row_no")]
    assert found == list(TEXTS.values())


@pytest.mark.parametrize("table", [t for t in TABLES if any(c.personal for c in t.columns)], ids=lambda t: t.name)
def test_no_clear_number_reaches_raw_or_quarantine(conn, table):
    personal = {c.name: lambda n: ["+7 916 123-45-67", "Иван 89161234567"][n % 2] for c in table.columns if c.personal}
    given = rows(table.name, 4, **personal)
    if table.version:
        given = [{**g, table.version: MONDAY} for g in given]
    given[3]["_problems"] = "caller: no number in '+7 916 123-45-67'"
    for column in table.columns:
        if column.type == "text" and column.name not in table.key:
            given[3][column.name] = "89161234567"
    bad = {(table.name, 2): ["r"], (table.name, 4): ["r"]}
    promoted(conn, table.source, [batch(table.name, given)], [table.name], bad=bad)
    for schema, expected in (("raw", 2), ("quarantine", 2)):
        texts = [r[0] for r in all_rows(conn, f"select t::text from {schema}.{table.name} as t")]
        assert len(texts) == expected
        hidden = [t for t in texts if any(number in t for number in NUMBERS)]
        assert hidden == []


def test_the_books_hold_counts_days_and_files(conn):
    late = {"line_no": 9, "event_at": MONDAY + timedelta(hours=22)}  # 01:00 in Moscow, the next day
    given = [*rows("queue_log", 2), {**rows("queue_log", 1)[0], **late}, {**rows("queue_log", 1)[0], "line_no": 10}]
    load, done = promoted(conn, Source.TELEPHONY, [batch("queue_log", given)], ["queue_log", "cdr"],
                          bad={("queue_log", 4): ["r"]})  # fmt: skip
    expected = {"rows_read": 4, "rows_raw": 3, "rows_unchanged": 0, "rows_quarantined": 1}
    assert done == {"queue_log": expected, "cdr": dict.fromkeys(expected, 0)}
    row = conn.execute("select * from ops.loads").fetchone()
    assert row["status"] == "promoted" and row["ended_at"] is not None
    assert {k: row[k] for k in expected} == expected
    by_table = all_rows(
        conn, "select table_name, rows_read, rows_raw, rows_quarantined from ops.load_tables order by 1"
    )
    assert by_table == [("cdr", 0, 0, 0), ("queue_log", 4, 3, 1)]
    assert all_rows(conn, "select day, rows_new, events from ops.load_days order by 1") == [
        (date(2026, 3, 2), 2, 2), (date(2026, 3, 3), 1, 1),
    ]  # fmt: skip
    assert all_rows(conn, "select table_name, file_id, load_id from ops.files") == [("queue_log", "f", load.load_id)]
    assert one(conn, "select to_regclass(%s)", f"landing.queue_log__{load.load_id}") is None


def test_a_later_version_of_a_dated_event_is_no_second_event(conn):
    note = rows("wrap_ups", 1)[0]
    for hour in (1, 2):
        changed = note | {"updated_at": MONDAY + timedelta(hours=hour)}
        promoted(conn, Source.CRM, [batch("wrap_ups", [changed])], ["wrap_ups"], day_window(hour))
    assert all_rows(conn, "select rows_new, events from ops.load_days order by load_id") == [(1, 1), (1, 0)]


def test_rows_that_vanish_from_landing_stop_the_promotion_and_nothing_changes(conn):
    load = gated(conn, Source.CRM, [batch("operators", [operator("A", 1), operator("B", 1, "o2")])], ["operators"])
    conn.execute("delete from landing.operators where operator_id = 'o2'")
    conn.commit()
    with pytest.raises(promote.PromoteError, match="operators: 2 rows were landed, but 1 are there"):
        promote.promote(conn, load, PEPPER, PHONE)
    assert ops.get_load(conn, load.load_id).status == "gated"
    assert one(conn, "select count(*) from raw.operators") == 0
    assert one(conn, "select count(*) from landing.operators") == 1


@pytest.mark.parametrize("status", ["landing", "held", "promoted", "rejected", "superseded", "failed"])
def test_only_a_gated_load_is_promoted(conn, status):
    load = gated(conn, Source.CRM, [], ["operators"])
    ops.set_load(conn, load.load_id, status, rows_raw=0, rows_unchanged=0, rows_quarantined=0)
    conn.commit()
    with pytest.raises(RuntimeError, match=f"load {load.load_id} is {status}; only gated"):
        promote.promote(conn, load, PEPPER, PHONE)


def held(conn, *given, bad=None):
    load = gated(conn, Source.CRM, [batch("operators", given)], ["operators"], bad=bad)
    ops.set_load(conn, load.load_id, "held", message="because")
    conn.commit()
    return load.load_id


def test_a_person_releases_a_held_load_and_its_bad_rows_stay_out(conn):
    load_id = held(conn, operator("A", 1), operator("B", 1, "o2"), bad={("operators", 1): ["r"]})
    done = promote.release(conn, load_id, "Olga", PEPPER, PHONE)
    assert counts(done["operators"]) == (1, 0, 1)
    assert all_rows(conn, "select status, decided_by, message from ops.loads") == [("promoted", "Olga", "because")]
    with pytest.raises(RuntimeError, match="only held"):
        promote.release(conn, load_id, "Olga", PEPPER, PHONE)


def test_a_load_whose_bad_rows_are_not_listed_cannot_be_released(conn):
    load_id = held(conn, operator("A", 1))
    conn.execute(
        "insert into ops.gate_results"
        " (load_id, table_name, rule_id, rule_type, severity, verdict, rows_failed, why, owner)"
        " values (%s, 'operators', 'operators.r', 't', 'critical', 'fail', 1, 'w', 'o')", (load_id,)
    )  # fmt: skip
    with pytest.raises(promote.PromoteError, match=r"operators\.r are not listed"):
        promote.release(conn, load_id, "Olga", PEPPER, PHONE)
    assert ops.get_load(conn, load_id).status == "held"


def test_a_person_rejects_a_held_load(conn):
    load_id = held(conn, operator("A", 1))
    promote.reject(conn, load_id, "Olga")
    assert all_rows(conn, "select status, decided_by from ops.loads") == [("rejected", "Olga")]
    assert one(conn, "select count(*) from raw.operators") == 0
    assert one(conn, "select to_regclass(%s)", f"landing.operators__{load_id}") is None
    with pytest.raises(RuntimeError, match="is rejected"):
        promote.reject(conn, load_id, "Olga")


def test_quarantined_rows_are_replayed_as_a_load_of_the_same_window(conn):
    given = [operator("A", 1), operator("B", 1, "o2"), operator("C", 1, "o3")]
    given.append(operator("D", 1, "o4") | {"_problems": "x"})
    bad = {("operators", 1): ["r"], ("operators", 2): ["r"], ("operators", 3): ["r", "other"], ("operators", 4): ["r"]}
    load, _ = promoted(conn, Source.CRM, [batch("operators", given)], ["operators"], bad=bad)
    load_operators(conn, operator("newer", 9, "o2"), days=1)
    (done,) = promote.replay(conn, "operators", ["r"], "Olga")
    assert (done["of_load_id"], done["rows_read"], done["rows_raw"], done["rows_unchanged"]) == (load.load_id, 1, 1, 0)
    assert present(conn) == ["A", "newer"]
    row = conn.execute("select * from ops.loads where load_id = %s", (done["load_id"],)).fetchone()
    assert (row["status"], row["decided_by"], row["window_start"]) == ("promoted", "Olga", load.window.start)
    assert row["rows_read"] == row["rows_raw"] == 1 and row["build_id"] is None
    waiting = all_rows(conn, "select operator_name from quarantine.operators where _released_at is null order by 1")
    assert waiting == [("C",), ("D",)]
    assert promote.replay(conn, "operators", ["r"], "Olga") == []
    assert counts(promote.replay(conn, "operators", ["r", "other"], "Olga")[0]) == (1, 0, 0)


def test_replayed_rows_keep_their_hashes(conn):
    promoted(conn, Source.CRM, [batch("subscribers", rows("subscribers", 1))], ["subscribers"],
             bad={("subscribers", 1): ["r"]})  # fmt: skip
    promote.replay(conn, "subscribers", ["r"], "Olga")
    _, again = promoted(conn, Source.CRM, [batch("subscribers", rows("subscribers", 1))], ["subscribers"])
    assert counts(again["subscribers"]) == (0, 1, 0)


def test_hashes_of_an_earlier_version_are_made_anew_and_unchanged_rows_recognised(conn):
    load_operators(conn, operator("A", 1))
    load_lines(conn, *rows("queue_log", 2))
    for table in ("operators", "queue_log"):
        conn.execute(f"alter table raw.{table} alter column _row_hash type text using md5(_row_hash::text)")
    conn.execute("update ops.prepared set definitions = 'earlier'")
    conn.commit()
    ops.prepare(conn)
    assert counts(load_operators(conn, operator("A", 1))) == (0, 1, 0)
    assert counts(load_lines(conn, *rows("queue_log", 2))) == (0, 2, 0)


def test_raw_calls_a_file_by_a_short_id_from_which_its_lines_are_found(conn):
    fingerprint = "0123456789abcdef" * 2
    lines = [r | {"file_id": fingerprint, "_source_ref": f"queue_log.1:{r['line_no']}"} for r in rows("queue_log", 2)]
    load_lines(conn, *lines)
    assert counts(load_lines(conn, *lines, days=1)) == (0, 2, 0)
    assert one(conn, "select max(length(file_id)) from raw.queue_log") < 10
    found = all_rows(conn, "select ops.source_ref('queue_log', file_id, line_no) from raw.queue_log order by line_no")
    assert found == [("queue_log.1:1",), ("queue_log.1:2",)]
    assert all_rows(conn, "select file_id, last_line from ops.files") == [(fingerprint, 2)]
    # Another file whose fingerprint begins alike is not mixed with it.
    other = fingerprint[:-1] + "0"
    alike = [r | {"file_id": other, "_source_ref": f"queue_log.2:{r['line_no']}"} for r in rows("queue_log", 2)]
    assert counts(load_lines(conn, *alike, days=1)) == (2, 0, 0)
    found = all_rows(conn, "select file_id from raw.queue_log group by 1 order by length(file_id)")
    assert found == [("ASNFZ4mr",), (other,)]


def test_files_of_an_earlier_version_keep_their_ids_and_unchanged_rows_are_recognised(conn):
    load_lines(conn, *rows("queue_log", 2))
    conn.execute("update raw.queue_log set file_id = 'f'")
    conn.execute(sql.SQL("update raw.queue_log set _row_hash = {}").format(ops.row_hash(BY_NAME["queue_log"])))
    conn.execute("alter table ops.files drop column short_id, drop column file_name")
    conn.execute("create index queue_log__time on raw.queue_log (event_at)")
    conn.execute("update ops.prepared set definitions = 'earlier'")
    conn.commit()
    ops.prepare(conn)
    assert counts(load_lines(conn, *rows("queue_log", 2))) == (0, 2, 0)
    assert present(conn, "queue_log", "file_id") == ["f", "f"]
    assert one(conn, "select to_regclass('raw.queue_log__time')") is None
    later = [r | {"file_id": "ab" * 16} for r in rows("queue_log", 1)]
    assert counts(load_lines(conn, *later, days=1)) == (1, 0, 0)
    assert one(conn, "select count(*) from raw.queue_log where length(file_id) = 8") == 1


@pytest.fixture
def many_rows_are_two(monkeypatch):
    monkeypatch.setattr(promote, "MANY_ROWS", 2)


def indexes(conn):
    return all_rows(conn, "select indexdef from pg_indexes where schemaname = 'raw' order by 1")


def test_indexes_are_as_before_after_a_first_large_load(conn, many_rows_are_two):
    before = indexes(conn)
    assert counts(load_lines(conn, *rows("queue_log", 3))) == (3, 0, 0)
    assert indexes(conn) == before
    assert counts(load_lines(conn, *rows("queue_log", 4))) == (1, 3, 0)


def test_a_key_twice_in_a_first_large_load_is_sorted_out_row_by_row(conn, many_rows_are_two):
    before = indexes(conn)
    line = rows("queue_log", 1)[0]
    changed = line | {"event": "CONNECT"}
    assert counts(load_lines(conn, line, line, changed, *rows("queue_log", 3)[1:])) == (4, 1, 0)
    assert indexes(conn) == before
    assert present(conn, "queue_log", "event") == ["CONNECT", "ENTERQUEUE", "ENTERQUEUE"]


def test_lines_beyond_those_that_were_read_are_taken_without_a_look_at_raw(conn, monkeypatch):
    first, later = rows("queue_log", 2), rows("queue_log", 4)[2:]
    load_lines(conn, *first)
    monkeypatch.setattr(promote, "_settle_rows", None)
    assert counts(load_lines(conn, *later, days=1)) == (2, 0, 0)
    assert all_rows(conn, "select last_line from ops.files") == [(4,)]
    assert one(conn, "select sum(rows_new) from ops.load_days") == 4


def test_replay_of_an_unknown_table_is_an_error(conn):
    with pytest.raises(LookupError, match="no landed table 'nonsense'"):
        promote.replay(conn, "nonsense", ["r"], "Olga")


@pytest.mark.parametrize("table", [t.name for t in TABLES])
def test_every_table_of_the_contract_is_promoted_and_recognised_when_unchanged(conn, table):
    source = BY_NAME[table].source
    for expected in ((3, 0, 0), (0, 3, 0)):
        _, done = promoted(conn, source, [batch(table, rows(table, 3))], [table])
        assert counts(done[table]) == expected


VERSIONS = st.tuples(st.sampled_from(["o1", "o2", "o3"]), st.integers(0, 6), st.booleans())


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(VERSIONS, max_size=8), min_size=1, max_size=4))
def test_accounting_balances_and_the_newest_version_wins_in_whatever_order_rows_arrive(conn, loads):
    conn.execute("truncate raw.operators, quarantine.operators, ops.loads cascade")
    conn.commit()
    read = raw = unchanged = quarantined = 0
    sound: set[tuple[str, int]] = set()
    for number, load in enumerate(loads):
        given = [operator(f"{key} at {hour}", hour, key) for key, hour, _ in load]
        bad = {("operators", n): ["r"] for n, (_, _, is_bad) in enumerate(load, 1) if is_bad}
        count = load_operators(conn, *given, days=number, bad=bad)
        read, raw = read + count["rows_read"], raw + count["rows_raw"]
        unchanged, quarantined = unchanged + count["rows_unchanged"], quarantined + count["rows_quarantined"]
        sound |= {(key, hour) for key, hour, is_bad in load if not is_bad}
    assert read == sum(map(len, loads)) == raw + unchanged + quarantined
    assert one(conn, "select count(*) from quarantine.operators") == quarantined
    kept = all_rows(conn, "select operator_id, operator_name from raw.operators order by 1, 2")
    assert kept == sorted((key, f"{key} at {hour}") for key, hour in sound)
    newest = {key: max(hour for k, hour in sound if k == key) for key, _ in sound}
    assert present(conn) == sorted(f"{key} at {hour}" for key, hour in newest.items())


def test_any_past_state_can_be_read(conn):
    load_operators(conn, operator("A", 1))
    between = datetime.now(UTC)
    load_operators(conn, operator("B", 2), days=1)
    load_operators(conn, operator("old", 0), days=2)
    then = all_rows(conn, "select operator_name from raw.operators where _loaded_at <= %s"
                          " and (_superseded_at is null or _superseded_at > %s)", between, between)  # fmt: skip
    assert then == [("A",)]
