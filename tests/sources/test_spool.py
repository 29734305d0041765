"""Spool folders: which files are the same, which is newest, and which lines of them belong to a load."""

from __future__ import annotations

import bz2
import gzip
import lzma
import shutil
from datetime import UTC, datetime
from pathlib import Path

import fsspec
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from service_quality.sources import spool as spool_module
from service_quality.sources.base import History, SourceError

from tests.pbx import column, lines, read, server, span

FIRST = 1_795_000_000


def log(count: int, first: int = FIRST, step: int = 7) -> list[str]:
    return [f"{first + i * step}|{first + i * step}.{i}|q|NONE|ENTERQUEUE||7999000{i:04}|1" for i in range(count)]


def at(epoch: int) -> str:
    return datetime.fromtimestamp(epoch, UTC).isoformat()[:19]


def order(rows: list[dict]) -> list[str]:
    return column(sorted(rows, key=lambda r: (r["server_id"], r["log_seq"])), "callid")


def calls(count: int) -> list[str]:
    return [line.split("|")[1] for line in log(count)]


@pytest.mark.parametrize(
    "names",
    [
        ("queue_log.2", "queue_log.1", "queue_log"),
        ("queue_log.0", "queue_log.1", "queue_log.10"),
        ("queue_log-20261105", "queue_log-20261106", "queue_log"),
        ("queue_log.9", "queue_log.10", "queue_log.11"),
    ],
)
def test_files_are_read_by_the_time_of_their_first_line_whatever_their_names(tmp_path, names):
    everything = log(30)
    for i, name in enumerate(names):
        lines(tmp_path / name, *everything[i * 10 : i * 10 + 10])
    rows = read(server(tmp_path))
    assert column(rows, "callid") == calls(30) == order(rows)
    assert len({(r["file_id"], r["line_no"]) for r in rows}) == 30


def test_rotation_between_two_loads_loses_no_line_and_repeats_none(tmp_path):
    everything = log(30)
    border = FIRST + 12 * 7
    lines(tmp_path / "queue_log", *everything[:14])
    first = read(server(tmp_path), window=span("2026-11-01", at(border)))
    (tmp_path / "queue_log").rename(tmp_path / "queue_log.1")
    with (tmp_path / "queue_log.1").open("a") as old:
        old.write(everything[14] + "\n")
    lines(tmp_path / "queue_log", *everything[15:])
    past = History(datetime(2026, 11, 1, tzinfo=UTC), frozenset(column(first, "file_id")))
    second = read(server(tmp_path), window=span(at(border), "2026-12-01"), history=past)
    assert column(first + second, "callid") == calls(30)
    assert order(first + second) == calls(30)
    assert first[0]["file_id"] == second[0]["file_id"]
    assert len({(r["file_id"], r["line_no"]) for r in first + second}) == 30


def test_a_compressed_file_keeps_its_identity(tmp_path):
    path = lines(tmp_path / "queue_log.1", *log(5))
    lines(tmp_path / "queue_log", *log(5, FIRST + 1000))
    plain = read(server(tmp_path))
    path.unlink()
    pack = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}
    pack["zst"] = lambda data: pa.compress(data, "zstd", asbytes=True)
    for suffix, compress in pack.items():
        packed = tmp_path / f"queue_log.1.{suffix}"
        packed.write_bytes(compress("".join(f"{line}\n" for line in log(5)).encode()))
        found = read(server(tmp_path))
        assert column(found, "file_id") == column(plain, "file_id"), suffix
        assert column(found, "callid") == column(plain, "callid")
        packed.unlink()


def test_a_last_line_without_newline_is_left_in_the_live_file_and_taken_from_older_ones(tmp_path):
    everything = log(6)
    lines(tmp_path / "queue_log", *everything[:3], end="")
    assert column(read(server(tmp_path)), "callid") == calls(2)
    (tmp_path / "queue_log").rename(tmp_path / "queue_log.1")
    lines(tmp_path / "queue_log", *everything[3:])
    assert column(read(server(tmp_path)), "callid") == calls(6)


def test_a_file_with_nothing_but_an_unfinished_line_has_no_identity_yet(tmp_path):
    lines(tmp_path / "queue_log.1", *log(2))
    lines(tmp_path / "queue_log", log(3)[2], end="")
    assert column(read(server(tmp_path)), "callid") == calls(2)
    with (tmp_path / "queue_log").open("a") as live:
        live.write("23|x\n")
    rows = read(server(tmp_path))
    assert len(rows) == 3 and rows[2]["line_no"] == 1


def test_growth_changes_neither_identity_nor_earlier_rows(tmp_path):
    lines(tmp_path / "queue_log", *log(1))
    before = read(server(tmp_path))
    lines(tmp_path / "queue_log", *log(9))
    after = read(server(tmp_path))
    assert after[0] == before[0]
    assert {r["file_id"] for r in after} == {before[0]["file_id"]}


@pytest.mark.parametrize("names", [("queue_log", "queue_log.copy"), ("queue_log.copy", "queue_log")])
def test_a_copy_beside_the_original_is_read_once_and_the_longest_counts(tmp_path, names):
    longest, shorter = names
    lines(tmp_path / longest, *log(9))
    lines(tmp_path / shorter, *log(4), end="\n179")
    (tmp_path / "queue_log.old.gz").write_bytes(gzip.compress((tmp_path / longest).read_bytes()))
    assert column(read(server(tmp_path)), "callid") == calls(9)


def test_the_partial_line_of_a_live_file_with_a_shorter_copy_is_still_left(tmp_path):
    lines(tmp_path / "queue_log", *log(5), end="")
    lines(tmp_path / "queue_log.copy", *log(2))
    assert column(read(server(tmp_path)), "callid") == calls(4)


def test_files_that_merely_begin_alike_are_both_read(tmp_path):
    lines(tmp_path / "queue_log.1", log(1)[0], f"{FIRST}|a.1|q|NONE|ABANDON|1|1|0")
    lines(tmp_path / "queue_log", log(1)[0], f"{FIRST + 9}|b.1|q|NONE|ABANDON|1|1|0", f"{FIRST + 9}|b|q|n|X|")
    rows = read(server(tmp_path))
    assert len(rows) == 5
    assert len({(r["file_id"], r["line_no"]) for r in rows}) == 5
    assert [r["file_id"] for r in rows] == [r["file_id"] for r in read(server(tmp_path))]


def test_a_file_that_comes_late_is_read_back_to_the_first_window(tmp_path):
    everything = log(30)
    lines(tmp_path / "queue_log.1", *everything[10:20])
    lines(tmp_path / "queue_log", *everything[20:])
    known = frozenset(column(read(server(tmp_path)), "file_id"))
    lines(tmp_path / "queue_log.2", *everything[:10])
    since = datetime.fromtimestamp(FIRST + 4 * 7, UTC)
    tonight = span(at(FIRST + 25 * 7), "2026-12-01")
    rows = read(server(tmp_path), window=tonight, history=History(since, known))
    assert order(rows) == calls(30)[4:10] + calls(30)[25:]


def test_lines_that_became_visible_late_in_a_known_file_are_read_when_the_history_counts_lines(tmp_path):
    lines(tmp_path / "queue_log", *log(10))
    known = read(server(tmp_path))[0]["file_id"]
    tonight = span(at(FIRST + 8 * 7), "2026-12-01")
    since = datetime(2026, 11, 1, tzinfo=UTC)
    past = History(since, frozenset([known]))
    assert column(read(server(tmp_path), window=tonight, history=past), "line_no") == [9, 10]
    past = History(since, frozenset([known]), {known: 6})
    assert column(read(server(tmp_path), window=tonight, history=past), "line_no") == [7, 8, 9, 10]


def test_windows_are_half_open(tmp_path):
    lines(tmp_path / "queue_log", *log(10))
    border = at(FIRST + 4 * 7)
    before = read(server(tmp_path), window=span("2026-11-01", border))
    after = read(server(tmp_path), window=span(border, "2026-12-01"))
    assert column(before, "line_no") == [1, 2, 3, 4]
    assert column(after, "line_no") == [5, 6, 7, 8, 9, 10]


def test_the_same_file_on_two_servers_is_two_logs(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        lines(tmp_path / name / "queue_log", *log(3))
    rows = read(server(tmp_path / "a", server_id="a"), server(tmp_path / "b", server_id="b"))
    assert column(rows, "server_id") == ["a"] * 3 + ["b"] * 3
    assert len({r["file_id"] for r in rows}) == 2


def test_empty_files_and_an_empty_folder_give_nothing(tmp_path):
    assert read(server(tmp_path)) == []
    (tmp_path / "queue_log").write_text("")
    (tmp_path / "queue_log.1").write_text("\n\n")
    assert read(server(tmp_path)) == []


def test_a_missing_folder_names_the_key_and_the_path(tmp_path):
    with pytest.raises(SourceError, match=r"telephony\.servers\.pbx\.queue_log\.spool: .*/nowhere"):
        read(server(tmp_path / "nowhere"))


def test_an_unknown_file_system_names_the_key():
    with pytest.raises(SourceError, match=r"queue_log\.spool: nosuch://host"):
        read(server("nosuch://host/x"))


def test_a_foreign_file_beside_the_log_is_skipped_loudly_and_alone_refused(tmp_path, caplog):
    lines(tmp_path / "queue_log.csv", "id,time,callid", "1,2026-11-23 10:00:00,x")
    with pytest.raises(SourceError, match=r"queue_log\.pattern: .*queue_log\.csv"):
        read(server(tmp_path))
    lines(tmp_path / "queue_log", *log(3))
    assert column(read(server(tmp_path)), "callid") == calls(3)
    assert "queue_log.csv is skipped" in caplog.text


def test_a_cut_archive_is_an_error_not_a_short_log(tmp_path):
    packed = gzip.compress("".join(f"{line}\n" for line in log(9000, step=1)).encode())
    (tmp_path / "queue_log.1.gz").write_bytes(packed[: len(packed) // 2])
    with pytest.raises(SourceError, match=r"queue_log\.1\.gz is cut short"):
        read(server(tmp_path))


def test_a_rotation_while_reading_is_noticed(tmp_path):
    lines(tmp_path / "queue_log", *log(3))
    drop = spool_module.FileDrop(spool=str(tmp_path), pattern="queue_log*")
    files = spool_module.Spool(drop, "key").files("pbx", spool_module.Layout("log", lambda name, text: 1))
    (tmp_path / "queue_log").rename(tmp_path / "queue_log.1")
    lines(tmp_path / "queue_log", *log(3, FIRST + 500))
    with pytest.raises(SourceError, match="rotated while it was read"):
        list(files[0].blocks())


def test_an_unknown_encoding_names_the_key(tmp_path):
    drop = {"spool": str(tmp_path), "encoding": "cp-nonsense"}
    with pytest.raises(SourceError, match=r"queue_log\.encoding: 'cp-nonsense'"):
        read(server(tmp_path, queue_log=drop))


def test_folders_by_url_and_with_odd_names_work(tmp_path):
    fs = fsspec.filesystem("memory")
    with fs.open("/pbx spool/queue_log", "w") as file:
        file.write("".join(f"{line}\n" for line in log(4)))
    assert column(read(server("memory://pbx spool")), "callid") == calls(4)
    fs.rm("/pbx spool", recursive=True)
    odd = tmp_path / "a[1]*b"
    odd.mkdir()
    lines(odd / "queue_log", *log(2))
    assert column(read(server(odd)), "_source_ref") == ["queue_log:1", "queue_log:2"]
    assert len(read(server(f"file://{odd}/"))) == 2


def test_blocks_join_lines_that_lie_across_their_border(tmp_path, monkeypatch):
    monkeypatch.setattr(spool_module, "BLOCK_BYTES", 50)
    lines(tmp_path / "queue_log", *log(40))
    rows = read(server(tmp_path))
    assert column(rows, "callid") == calls(40)
    assert column(rows, "line_no") == list(range(1, 41))


@st.composite
def split_logs(draw: st.DrawFn) -> tuple[list[str], list[int]]:
    steps = draw(st.lists(st.integers(0, 4000), min_size=1, max_size=40))
    verbs = st.sampled_from(["ENTERQUEUE||79990001234|1", "CONNECT|3|1795417849.205|3", "PAUSE|", "DID|4", "garbage"])
    moment, content = FIRST, []
    for step in steps:
        moment += step
        content.append(f"{moment}|{moment}.1|q|Агент|{draw(verbs)}")
    # A PBX rotates at most once a second, and the first line of a file is the first of its second.
    places = [i for i in range(1, len(steps)) if steps[i] > 0]
    cuts = sorted(draw(st.sets(st.sampled_from(places)))) if places else []
    return content, cuts


@given(split_logs(), st.booleans(), st.booleans(), st.integers(20, 400))
def test_any_split_into_rotated_files_gives_the_same_rows_in_the_same_order(
    tmp_path_factory, case, newest_highest, packed, block
):
    content, cuts = case
    folder: Path = tmp_path_factory.mktemp("spool")
    parts = [content[a:b] for a, b in zip([0, *cuts], [*cuts, len(content)], strict=True)]
    for i, part in enumerate(parts):
        number = i if newest_highest else len(parts) - 1 - i
        path = lines(folder / f"queue_log.{number}", *part)
        if packed and i < len(parts) - 1:
            path.with_suffix(f".{number}.gz").write_bytes(gzip.compress(path.read_bytes()))
            path.unlink()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spool_module, "BLOCK_BYTES", block)
        rows = read(server(folder))
    shutil.rmtree(folder)
    rows.sort(key=lambda r: r["log_seq"])
    assert column(rows, "time_text") == [line.split("|")[0] for line in content]
    assert column(rows, "event") == [line.split("|")[4] for line in content]
    assert len({(r["file_id"], r["line_no"]) for r in rows}) == len(content)
    assert not any(column(rows, "_problems"))
