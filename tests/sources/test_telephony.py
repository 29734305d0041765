"""The telephony door as a whole."""

from __future__ import annotations

from service_quality import config
from service_quality.sources.telephony import TelephonySource

from tests.pbx import SAMPLE, column, read, server, span


def test_the_recording_gives_its_457_events_in_the_order_of_the_log():
    rows = sorted(read(server(SAMPLE)), key=lambda r: r["log_seq"])
    logged = (SAMPLE / "queue_log.0").read_text().splitlines() + (SAMPLE / "queue_log").read_text().splitlines()
    assert len(rows) == len(logged) == 457
    assert column(rows, "time_text") == [line.split("|")[0] for line in logged]
    assert column(rows, "event") == [line.split("|")[4] for line in logged]
    assert not any(column(rows, "_problems"))
    kept = [r["params"] for r in rows if r["event"] != "ENTERQUEUE"]
    assert kept == ["|".join(ln.split("|")[5:]).rstrip("|") for ln in logged if "|ENTERQUEUE|" not in ln]
    assert [r["caller"] or "" for r in rows if r["event"] == "ENTERQUEUE"] == [
        ln.split("|")[6] for ln in logged if "|ENTERQUEUE|" in ln
    ]


def test_each_server_gives_its_log_and_its_records_where_it_has_them():
    cdr = {"spool": str(SAMPLE)}
    settings = config.Telephony.model_validate(
        {"servers": [server(SAMPLE, server_id="a", cdr=cdr), server(SAMPLE, server_id="b")]}
    )
    source = TelephonySource(settings, lambda name: "", {})
    found = [
        (e.table.name, set(e.batch.column("server_id").to_pylist()))
        for e in source.read(span("2026-11-23", "2026-11-24"))
    ]
    assert found == [("queue_log", {"a"})] * 2 + [("cdr", {"a"})] + [("queue_log", {"b"})] * 2


def test_shares_together_give_what_is_read_in_one_piece():
    cdr = {"spool": str(SAMPLE)}
    servers = [server(SAMPLE, server_id=name, cdr=cdr) for name in "ab"]
    window = span("2026-11-23", "2026-11-24")

    def read_by(processes):
        source = TelephonySource(config.Telephony(servers=servers, processes=processes), lambda name: "", {})
        shares = [list(share()) for share in source.shares(window)]
        assert len(shares) == processes and all(shares[:2])
        return sorted((e.table.name, *map(str, row.values())) for s in shares for e in s for row in e.batch.to_pylist())

    assert read_by(1) == read_by(2) == read_by(3)
