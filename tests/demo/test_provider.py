"""The simulated provider: reproducible, of the promised size, and its doors agree with its truth."""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import threading
from collections import Counter
from datetime import date
from itertools import pairwise
from pathlib import Path

import httpx
import pytest
from service_quality import config
from typer.testing import CliRunner

from demo import callbacks, crm, provider, survey_server, surveys
from demo import world as w
from demo.__main__ import app

DAYS, A_DAY = 20, 300
LAST = date(2026, 8, 27)


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    """A small provider, shown until its last day."""
    folder = tmp_path_factory.mktemp("provider")
    provider.create(folder, days=DAYS, contacts_per_day=A_DAY)
    provider.play(folder, LAST)
    return folder


def truth(home: Path, name: str) -> list[dict[str, str]]:
    with (home / "truth" / f"{name}.csv").open(encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


def log(home: Path, server: str) -> list[list[str]]:
    """Complete lines of all queue_log files of a server."""
    found = []
    for path in (home / "spool" / server).glob("queue_log*"):
        found += [line.split("|") for line in path.read_text().split("\n")[:-1]]
    return found


def records(home: Path, server: str) -> list[list[str]]:
    found = []
    for path in (home / "spool" / server).glob("Master.csv*"):
        with path.open() as handle:
            found += list(csv.reader(handle))
    return found


def digests(folder: Path) -> dict[str, str]:
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


def ended(home: Path) -> list[dict[str, str]]:
    """Calls that were over when the last day ended."""
    return [c for c in truth(home, "contacts") if c["kind"] == "call" and c["ended_at"] < "2026-08-27T21:00:00Z"]


# -- the same seed gives the same provider, another seed another one -----------------------------------------


def test_the_same_seed_gives_the_same_files_and_another_seed_others(tmp_path):
    for name, seed in (("one", 7), ("two", 7), ("three", 8)):
        provider.create(tmp_path / name, seed=seed, days=3, contacts_per_day=60)
        provider.play(tmp_path / name, date(2026, 8, 10))
    one, two, three = (digests(tmp_path / n) for n in ("one", "two", "three"))
    assert one == two
    assert one["truth/contacts.csv"] != three["truth/contacts.csv"]


def test_there_are_as_many_contacts_branches_operators_and_subscribers_as_promised(home):
    whole_days = Counter(c["business_day"] for c in truth(home, "contacts"))
    middle = [n for day, n in sorted(whole_days.items())][2:-2]
    world = w.build(7, DAYS, A_DAY)
    assert 0.8 * A_DAY < sum(middle) / len(middle) < 1.2 * A_DAY
    assert (len(world.operators), len(world.subscribers.ids), len(w.BRANCHES), len(w.TOPICS)) == (60, 20_000, 6, 24)
    assert len({b.time_zone for b in w.BRANCHES}) >= 4
    assert {t.topic_class for t in w.TOPICS} == set(w.TEAMS)


# -- the doors say what the truth says ----------------------------------------------------------------------


@pytest.mark.parametrize("server", ["msk", "kiv"])
def test_every_call_of_the_truth_is_in_the_log_or_was_turned_away_or_left_in_the_menu(home, server):
    calls = {c["linkedid"]: c for c in ended(home) if c["server_id"] == server}
    linked = {r[16]: r[19] for r in records(home, server)}
    logged = {linked.get(r[1], r[1]) for r in log(home, server) if len(r) > 4 and r[4] == "ENTERQUEUE"}
    refused = {r[19] for r in records(home, server) if r[7] == "Queue" and r[17].startswith("qs=")
               and r[17] != "qs=TIMEOUT"}  # fmt: skip
    menu = {r[19] for r in records(home, server) if r[3] == "ivr-main"}
    by_outcome = {o: {k for k, c in calls.items() if c["outcome"] == o} for o in ("turned_away", "left_in_menu")}
    assert refused & set(calls) == by_outcome["turned_away"]
    assert menu & set(calls) == by_outcome["left_in_menu"]
    assert logged & set(calls) == set(calls) - refused - menu
    assert len(calls) > 100


@pytest.mark.parametrize("server", ["msk", "kiv"])
def test_waits_and_talks_of_the_truth_are_the_integers_of_the_log(home, server):
    visits = [v for v in truth(home, "visits") if v["server_id"] == server and v["ended_at"]
              and v["ended_at"] < "2026-08-27T21:00:00Z"]  # fmt: skip
    events = Counter()
    for r in log(home, server):
        if len(r) > 4 and r[4].startswith("COMPLETE"):
            events[r[2], r[5], r[6]] += 1
    told = Counter(
        (v["queue"], v["wait_seconds"], v["talk_seconds"]) for v in visits if v["ended_by"] in ("agent", "caller")
    )
    assert told == events


def test_ratings_in_the_files_are_those_of_the_truth_and_their_digits_too(home):
    for server, separator, digit in (("msk", ",", 6), ("kiv", ";", 5)):
        pressed = Counter()
        for path in (home / "ivr" / server).glob("*.csv"):
            pressed.update(line.split(separator)[digit] for line in path.read_text().splitlines()[1:])
        told = Counter(r["digit"] for r in truth(home, "ratings")
                       if r["server_id"] == server and r["rated_at"] < "2026-08-27T21:00:00Z")  # fmt: skip
        assert pressed == told
        assert sum(told.values()) > 50


def test_no_operator_talks_to_two_callers_at_once(home):
    talks: dict[str, list[tuple[str, str]]] = {}
    for v in truth(home, "visits"):
        if v["connected_at"] and v["ended_at"]:
            talks.setdefault(v["operator_id"], []).append((v["connected_at"], v["ended_at"]))
    for own in talks.values():
        own.sort()
        assert all(one[1] <= two[0] for one, two in pairwise(own))


def test_the_promised_dirt_is_there(home):
    verbs = {r[4] for s in ("msk", "kiv") for r in log(home, s) if len(r) > 4}
    assert {"RINGNOANSWER", "RINGCANCELED", "PAUSEALL", "UNPAUSEALL", "BLINDTRANSFER", "ATTENDEDTRANSFER",
            "EXITWITHTIMEOUT", "EXITWITHKEY", "QUEUESTART", "DID", "FROBNICATE"} <= verbs  # fmt: skip
    forms = {r[5] for s in ("msk", "kiv") for r in log(home, s) if len(r) > 4 and r[4] == "ATTENDEDTRANSFER"}
    assert forms == {"BRIDGE", "APP", "LINK"}
    callers = {r[6] for r in log(home, "msk") if len(r) > 4 and r[4] == "ENTERQUEUE"}
    assert {"", "anonymous"} <= callers
    assert {c[:1] for c in callers} >= {"7", "8", "+"}
    assert any(r[4] == "CONNECT" and r[3].startswith("Agent/") for r in log(home, "msk") if len(r) > 4)
    assert any(r[4] == "ADDMEMBER" and r[3].startswith("Local/") for r in log(home, "msk") if len(r) > 4)
    repeated = Counter((r[1], r[2]) for r in log(home, "msk") if len(r) > 4 and r[4] == "ENTERQUEUE")
    assert max(repeated.values()) > 1
    both = {c["linkedid"] for c in ended(home) if c["server_id"] == "msk"}
    assert both & {c["linkedid"] for c in ended(home) if c["server_id"] == "kiv"}
    pressed = {r["digit"] for r in truth(home, "ratings")}
    assert {"0", "55", ""} <= pressed
    assert any(r["has_call_id"] == "0" for r in truth(home, "ratings") if r["server_id"] == "msk")


def test_a_crash_leaves_visits_without_an_end(tmp_path):
    provider.create(tmp_path, days=3, contacts_per_day=200, first_day=date(2026, 9, 8))
    provider.play(tmp_path, date(2026, 9, 10))
    open_calls = {v["callid"] for v in truth(tmp_path, "visits") if v["outcome"] == "interrupted"}
    ends = {r[1] for r in log(tmp_path, "msk") if len(r) > 4 and r[4] in ("ABANDON", "CONNECT", "COMPLETEAGENT")}
    assert open_calls
    assert not open_calls & ends
    assert [r[0] for r in log(tmp_path, "msk") if len(r) > 4 and r[4] == "QUEUESTART"][1:]


def test_the_doubled_hour_occurs_twice_and_the_files_go_back_in_time(tmp_path):
    provider.create(tmp_path, days=3, contacts_per_day=60, first_day=date(2026, 10, 24))
    provider.play(tmp_path, date(2026, 10, 26))
    begins = w.doubled_hour(w.BRANCH["kiv"], w.DOUBLED_HOUR_DAY)
    assert begins is not None
    entered = [int(r[0]) for r in log(tmp_path, "kiv") if len(r) > 4 and r[4] == "ENTERQUEUE"]
    assert any(begins <= at < begins + 3600 for at in entered)
    assert any(begins + 3600 <= at < begins + 7200 for at in entered)
    times = [line.split(";")[0] for line in (tmp_path / "ivr/kiv/ratings_20261025.csv").read_text().splitlines()[1:]]
    assert any(later < earlier for earlier, later in pairwise(times))


# -- showing it day by day ----------------------------------------------------------------------------------


def test_playing_day_by_day_ends_where_playing_at_once_ends_and_twice_changes_nothing(tmp_path):
    for name, days in (("steps", (10, 11, 12)), ("once", (12,)), ("twice", (12, 12))):
        provider.create(tmp_path / name, days=6, contacts_per_day=80)
        for day in days:
            provider.play(tmp_path / name, date(2026, 8, day))
    assert digests(tmp_path / "steps") == digests(tmp_path / "once") == digests(tmp_path / "twice")


def test_lines_of_the_log_only_grow_and_the_live_file_ends_within_a_line(tmp_path):
    provider.create(tmp_path, days=12, contacts_per_day=100)
    provider.play(tmp_path, date(2026, 8, 9))
    before = Counter(map(tuple, log(tmp_path, "msk")))
    live = (tmp_path / "spool/msk/queue_log").read_text()
    provider.play(tmp_path, date(2026, 8, 11))
    after = Counter(map(tuple, log(tmp_path, "msk")))
    assert not live.endswith("\n")
    assert before <= after
    assert (tmp_path / "spool/msk/queue_log.1").exists()
    assert (tmp_path / "spool/kiv/queue_log.0").exists()


def test_a_broken_night_is_cut_off_and_playing_it_again_repairs_it(tmp_path):
    for name in ("broken", "sound"):
        provider.create(tmp_path / name, days=6, contacts_per_day=200)
    provider.play(tmp_path / "sound", date(2026, 8, 12))
    provider.play(tmp_path / "broken", date(2026, 8, 12), broken="telephony")
    day = "1786482000"  # midnight in Moscow on 12 August
    sound = [r for r in log(tmp_path / "sound", "msk") if r[0] >= day and len(r) > 4]
    kept = [r for r in log(tmp_path / "broken", "msk") if r[0] >= day and len(r) > 4]
    assert 0 < len(kept) < 0.5 * len(sound)
    assert any(len(r) < 5 for r in log(tmp_path / "broken", "msk"))
    provider.play(tmp_path / "broken", date(2026, 8, 12))
    assert digests(tmp_path / "broken") == digests(tmp_path / "sound")


def test_a_rating_file_arrives_a_day_late(tmp_path):
    provider.create(tmp_path, days=4, contacts_per_day=300, first_day=date(2026, 9, 22))
    provider.play(tmp_path, date(2026, 9, 23))
    late = tmp_path / "ivr/kiv/ratings_20260923.csv"
    assert not late.exists()
    provider.play(tmp_path, date(2026, 9, 24))
    assert len(late.read_text().splitlines()) > 1


def test_the_crm_shows_each_row_in_the_version_of_the_moment(home, database_url):
    import psycopg

    first = provider.play(home, date(2026, 8, 12), crm_url=database_url)["crm rows written"]
    again = provider.play(home, date(2026, 8, 12), crm_url=database_url)["crm rows written"]
    with psycopg.connect(database_url) as conn:
        before = dict(conn.execute("select case_id, state from cases").fetchall())
    provider.play(home, LAST, crm_url=database_url)
    with psycopg.connect(database_url) as conn:
        after = dict(conn.execute("select case_id, state from cases").fetchall())
        newest = conn.execute("select max(modified_at) from cases").fetchone()[0]
        late = conn.execute("select count(*) from case_history where modified_at > happened_at").fetchone()[0]
    assert first > 20_000
    assert again == 0
    assert set(before) < set(after)
    assert any(after[case] != state for case, state in before.items())
    assert newest.isoformat() < "2026-08-27T21:00:00"
    assert late > 0


def test_the_queries_return_every_canonical_table_without_a_problem(home, database_url):
    from service_quality.sources.crm import CrmSource
    from service_quality.window import nights

    settings = config.load(config.REPO / "config")
    assert settings.crm is not None
    provider.play(home, LAST, crm_url=database_url)
    source = CrmSource(settings.crm, config.REPO / "config" / "crm", database_url)
    rows, problems = Counter(), []
    for table, batch in source.read(nights(date(2026, 8, 8), LAST, settings.provider.zone)):
        rows[table.name] += batch.num_rows
        problems += [p for p in batch["_problems"].to_pylist() if p]
    assert len(rows) == 12
    assert problems == []
    assert rows["operators"] == 59 and rows["subscribers"] > 19_000
    shown = sum(t["opened_at"] < "2026-08-27T21:00:00Z" for t in truth(home, "tickets"))
    assert rows["tickets"] == shown


def test_asking_for_what_is_not_there_is_a_clear_error(home, tmp_path):
    run = CliRunner()
    assert run.invoke(app, ["play", "--home", str(tmp_path), "--until", "2026-08-10"]).exit_code == 1
    outside = run.invoke(app, ["play", "--home", str(home), "--until", "2027-01-01"])
    assert outside.exit_code == 1
    assert "not simulated" in outside.output
    with pytest.raises(provider.DemoError, match="only 'telephony'"):
        provider.play(home, LAST, broken="crm")
    with pytest.raises(ValueError, match="at least 1"):
        provider.create(tmp_path, days=0)
    with pytest.raises(ValueError, match="Postgres or MariaDB"):
        provider.play(home, LAST, crm_url="sqlite:///x")


# -- the survey server --------------------------------------------------------------------------------------


class Client:
    """Speaks JSON-RPC to a served provider."""

    def __init__(self, home: Path, **options) -> None:
        self.server = survey_server.server(home, 0, survey_server.Options(**options))
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def post(self, method: str, *params, path="/index.php/admin/remotecontrol") -> httpx.Response:
        return httpx.post(self.url + path, json={"method": method, "params": list(params), "id": 3})

    def __call__(self, method: str, *params):
        answer = self.post(method, *params)
        assert (answer.status_code, answer.json()["id"], answer.json()["error"]) == (200, 3, None)
        return answer.json()["result"]

    def key(self) -> str:
        return self("get_session_key", "quality", "quality")

    def export(self, *params) -> list[dict]:
        return json.loads(base64.b64decode(self("export_responses", *params)))["responses"]


@pytest.fixture
def client(home):
    clients = []

    def make(**options) -> Client:
        clients.append(Client(home, **options))
        return clients[-1]

    provider.play(home, LAST)
    yield make
    for one in clients:
        one.server.shutdown()
        one.server.server_close()


def test_failures_are_statuses_with_http_200(client):
    ask = client()
    assert ask("get_session_key", "quality", "wrong") == {"status": "Invalid user name or password"}
    assert ask("list_surveys", "no key") == {"status": "Invalid session key"}
    assert ask("export_responses", "no key", "811001", "json") == {"status": "Invalid session key"}
    key = ask.key()
    assert ask("export_responses", key, "999", "json") == {"status": "No Data, survey table does not exist."}
    assert ask("export_responses", key, surveys.INACTIVE, "json") == {"status": "No Data, survey table does not exist."}
    odd = ask("export_responses", key, "811001", "json", "de")
    assert odd == {"status": "Language code not found for this survey."}
    assert ask.post("delete_survey", key).json()["error"]


def test_an_empty_survey_has_no_data_and_an_empty_range_no_responses(home, client):
    ask = client()
    key = ask.key()
    newest = ask.export(key, "811002", "json")[-1]["id"]
    assert ask.export(key, "811002", "json", None, "all", "code", "short", int(newest) + 1) == []
    provider.play(home, date(2026, 8, 8))
    assert ask("export_responses", key, "811002", "json") == {"status": "No Data, could not get max id."}


def test_responses_come_in_order_of_their_ids_and_in_the_wanted_range(client):
    ask = client()
    key = ask.key()
    rows = ask.export(key, "811002", "json", None, "all", "code", "short", 5, 9)
    assert [r["id"] for r in rows] == ["5", "6", "7", "8", "9"]
    assert list(rows[0])[:3] == ["id", "submitdate", "lastpage"]
    assert {"SOLVED", "FIRST", "SAT", "NPS"} <= set(rows[0])
    states = {c: len(ask.export(key, "811002", "json", None, c)) for c in ("all", "complete", "incomplete")}
    assert states["all"] == states["complete"] + states["incomplete"]
    assert states["incomplete"] > 0
    assert all(r["submitdate"] is None for r in ask.export(key, "811002", "json", None, "incomplete"))
    some = ask.export(key, "811002", "json", None, "all", "code", "short", 1, 2, ["id", "SAT"])
    assert [set(r) for r in some] == [{"id", "SAT"}] * 2


def test_some_interviews_are_finished_on_a_later_day(home, client):
    ask = client()
    provider.play(home, date(2026, 8, 20))
    key = ask.key()
    unfinished = {r["id"] for r in ask.export(key, "811001", "json", None, "incomplete")}
    provider.play(home, LAST)
    finished = {r["id"] for r in ask.export(key, "811001", "json", None, "complete")}
    assert unfinished & finished


def test_keys_expire_and_can_be_released(client):
    ask = client(calls_per_key=2)
    key = ask.key()
    assert isinstance(ask("list_surveys", key), list)
    assert isinstance(ask("list_surveys", key), list)
    assert ask("list_surveys", key) == {"status": "Invalid session key"}
    fresh = ask.key()
    assert ask("release_session_key", fresh) == "OK"
    assert ask("list_surveys", fresh) == {"status": "Invalid session key"}
    short = client(key_seconds=0.0)
    assert short("list_surveys", short.key()) == {"status": "Invalid session key"}


def test_errors_are_injected_and_both_paths_answer(client):
    ask = client(fail_every=2)
    assert ask.post("list_surveys", "x", path="/admin/remotecontrol").status_code == 200
    assert ask.post("list_surveys", "x").status_code == 500
    assert ask.post("list_surveys", "x", path="/elsewhere").status_code == 404


# -- the configuration that describes it --------------------------------------------------------------------


def test_the_default_configuration_fits_this_provider(monkeypatch, tmp_path):
    monkeypatch.setenv("DEMO_HOME", str(tmp_path))
    settings = config.load(config.REPO / "config")
    assert settings.telephony is not None and settings.survey is not None
    assert {q.queue for q in settings.queues} == set(w.QUEUE)
    assert {s.server_id: s.time_zone for s in settings.telephony.servers} == w.SERVER_ZONES
    assert settings.telephony.servers[0].queue_log.spool == f"{tmp_path}/spool/msk"
    for survey in settings.survey.surveys:
        assert set(survey.questions.values()) <= set(surveys.QUESTIONS[survey.survey_id])
        assert set(survey.values["attempt_outcome"].values()) == set(callbacks.RESULTS)
    assert settings.callbacks.due_hours.model_dump() == callbacks.DUE_HOURS
    assert settings.callbacks.low_rating == callbacks.LOW_RATING
    monkeypatch.setenv("DEMO_HOME", "here/demo")
    relative = config.load(config.REPO / "config")
    assert relative.telephony is not None
    assert relative.telephony.servers[0].queue_log.spool == str(config.REPO / "here/demo/spool/msk")


def test_every_crm_table_of_the_demo_declares_its_columns_once():
    for table, columns in crm.TABLES.items():
        names = crm.column_names(table)
        assert len(set(names)) == len(columns) + 1
