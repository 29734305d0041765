from __future__ import annotations

from pathlib import Path

import pytest
from service_quality.config import ConfigError
from service_quality.contract import BY_NAME
from service_quality.sources.base import SourceError
from service_quality.sources.queries import Query, find


def bound(sql: str, dialect: str = "postgresql") -> str:
    return Query(BY_NAME["topics"], Path("topics.sql"), sql).with_bounds("<S>", "<E>", dialect)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("a >= :window_start and a<:window_end", "a >= <S> and a<<E>"),
        (":window_start::date, x::text", "<S>::date, x::text"),
        ("select ':window_start' || 'it''s' || :window_end", "select ':window_start' || 'it''s' || <E>"),
        ("select 1 -- not :window_start, it's\n, :window_end", "select 1 -- not :window_start, it's\n, <E>"),
        ("/* ':window_start */ select :window_end", "/* ':window_start */ select <E>"),
        ("select \":window_start\", $$ :window_end $$", "select \":window_start\", $$ :window_end $$"),
        ("select $x$ ' $x$, :window_end", "select $x$ ' $x$, <E>"),
        (r"select E'it\'s :window_start', 'C:\', :window_end", r"select E'it\'s :window_start', 'C:\', <E>"),
        ("select :window_starts, a[1:window_end]", "select :window_starts, a[1:window_end]"),
        ("select 1;", "select 1"),
        ("select 1 ;\n -- the end; really\n /* bye */ ; ", "select 1"),
        ("select 1 -- in between\nfrom t -- last\n", "select 1 -- in between\nfrom t"),
    ],
)  # fmt: skip
def test_only_parameters_are_replaced_and_the_end_is_trimmed(sql, expected):
    assert bound(sql) == expected


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        (r"select 'it\'s :window_start', :window_end", r"select 'it\'s :window_start', <E>"),
        ("select 5--3, :window_end", "select 5--3, <E>"),
        ("select 1 # it's :window_start\n, :window_end", "select 1 # it's :window_start\n, <E>"),
        ("select `a:window_start`, :window_end", "select `a:window_start`, <E>"),
    ],
)
def test_mysql_has_its_own_strings_and_comments(sql, expected):
    assert bound(sql, "mysql") == expected


def test_a_template_keeps_other_colons_as_text():
    import sqlalchemy as sa

    sql = "select '12:30', ':window_end', x /* :y */ from t where a >= :window_start"
    statement = sa.text(Query(BY_NAME["topics"], Path("t.sql"), sql).as_template("mysql"))
    compiled = statement.compile()
    assert list(compiled.params) == ["window_start"]
    assert str(compiled) == sql


def test_result_columns_are_found_by_name_whatever_their_order_and_case():
    names = [c.name for c in BY_NAME["topics"].columns]
    query = Query(BY_NAME["topics"], Path("topics.sql"), "")
    assert query.order([n.upper() for n in reversed(names)]) == list(reversed(range(len(names))))


def test_wrong_result_columns_are_told_with_the_file():
    names = [c.name for c in BY_NAME["topics"].columns if c.name not in ("valid_to", "topic_class")]
    with pytest.raises(SourceError) as caught:
        Query(BY_NAME["topics"], Path("crm/topics.sql"), "").order([*names, "colour", "topic_id"])
    assert str(caught.value) == (
        "crm/topics.sql: the query must return exactly the columns of topics; "
        "missing: topic_class, valid_to; surplus: colour; more than once: topic_id"
    )


def test_every_file_is_a_table_in_load_order(tmp_path):
    for name in ("tickets", "branches", "topics"):
        (tmp_path / f"{name}.sql").write_text("select 1")
    (tmp_path / "README.md").write_text("notes")
    assert [q.table.name for q in find(tmp_path, None)] == ["branches", "topics", "tickets"]
    assert [q.table.name for q in find(tmp_path, ["tickets"])] == ["tickets"]


@pytest.mark.parametrize(
    ("files", "tables", "told"),
    [
        ({}, ["topics"], r"topics\.sql: there is no such file.*crm\.tables"),
        ({}, None, r"no <table>\.sql"),
        ({"tickts": "select 1"}, None, r"tickts\.sql: 'tickts' is no canonical table; there are branches, "),
        ({"topics": " \n"}, None, r"topics\.sql: the file is empty"),
    ],
)
def test_missing_and_misnamed_files_are_told(tmp_path, files, tables, told):
    for name, text in files.items():
        (tmp_path / f"{name}.sql").write_text(text)
    with pytest.raises(ConfigError, match=told):
        find(tmp_path, tables)
