"""The realtime form of queue_log, from a real MariaDB: the same facts as from the files."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from service_quality.config import Telephony
from service_quality.sources.base import SourceError
from service_quality.sources.telephony import TelephonySource
from service_quality.window import Window

from tests.mariadb import MariaDb

pytestmark = pytest.mark.mariadb

SAMPLE = Path(__file__).resolve().parents[1] / "fixtures" / "asterisk_sample"
NIGHT = Window(datetime(2026, 11, 22, 21, tzinfo=UTC), datetime(2026, 11, 23, 21, tzinfo=UTC))
FACTS = ("callid", "queue", "agent", "event", "caller", "caller_name", "params")
TEXTS = (
    "callid varchar(80), queuename varchar(256), agent varchar(80), event varchar(32), "
    "data1 varchar(100), data2 varchar(100), data3 varchar(100), data4 varchar(100), data5 varchar(100)"
)


def read(queue_log: dict, url: str = "", window: Window = NIGHT) -> list[dict]:
    settings = {"servers": [{"server_id": "pbx", "time_zone": "Europe/Moscow", "queue_log": queue_log}]}
    source = TelephonySource(Telephony.model_validate(settings), lambda _: url, {})
    rows = [row for extracted in source.read(window) for row in extracted.batch.to_pylist()]
    return sorted(rows, key=lambda r: r["log_seq"])


@pytest.fixture(scope="module")
def from_files() -> list[dict]:
    return read({"form": "file", "spool": str(SAMPLE), "pattern": "queue_log*"})


@pytest.fixture(params=["datetime(6)", "datetime", "varchar(26)"])
def url(request, mariadb_server: MariaDb) -> str:
    """The recorded rows in a table with each kind of time column there is: plain datetime rounds."""
    database = mariadb_server.create_database()
    mariadb_server.execute(
        database, f"create table queue_log (id bigint auto_increment primary key, time {request.param}, {TEXTS})"
    )
    with (SAMPLE / "queue_log_realtime.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))[1:]
    with mariadb_server.connect(database) as conn, conn.cursor() as cursor:
        cursor.executemany(f"insert into queue_log values ({', '.join(['%s'] * 11)})", rows)
    return mariadb_server.url(database)


def test_the_table_gives_the_facts_of_the_files(url, from_files):
    rows = read({"form": "realtime", "connection": "pbx"}, url)
    assert len(rows) == len(from_files) == 457
    assert [[r[f] for f in FACTS] for r in rows] == [[r[f] for f in FACTS] for r in from_files]
    assert all(r["_problems"] is None for r in rows)
    late = [(a["event_at"] - b["event_at"]) for a, b in zip(rows, from_files, strict=True)]
    assert {abs(d) for d in late} <= {timedelta(0), timedelta(seconds=1)}


def test_windows_that_meet_share_the_rows_without_loss_or_repetition(url):
    middle = datetime(2026, 11, 23, 7, 10, tzinfo=UTC)
    table = {"form": "realtime", "connection": "pbx"}
    parts = [read(table, url, Window(NIGHT.start, middle)), read(table, url, Window(middle, NIGHT.end))]
    assert all(parts)
    assert [r["line_no"] for part in parts for r in part] == list(range(1, 458))


def test_what_cannot_be_read_is_an_error_that_names_the_key_and_no_password(mariadb_server):
    database = mariadb_server.create_database()
    table = {"form": "realtime", "connection": "pbx"}
    with pytest.raises(SourceError, match=r"telephony\.servers\.pbx\.queue_log\.table: .*no table queue_log"):
        read(table, mariadb_server.url(database))
    with pytest.raises(SourceError, match=r"telephony\.servers\.pbx\.queue_log: .*denied") as caught:
        read(table, mariadb_server.url(database, "topsecret"))
    assert "topsecret" not in str(caught.value)
