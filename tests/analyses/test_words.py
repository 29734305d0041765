"""Words that rose in comments: masked, stemmed, counted once a comment, and against a prior."""

from __future__ import annotations

import math
from collections import Counter
from datetime import date

import pytest
from service_quality.analyses import text, words

MONDAY = date(2026, 3, 2)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Write to a.b@example.org or call 8 912 555 33 44", "Write to [e-mail] or call [number]"),
        ("Договор C104512 не работает", "[number] не работает"),
        ("contract no. 77/12a is wrong", "[number] is wrong"),
        ("лицевой счёт 1234567", "[number]"),
        ("живу ул. Лесная, д. 5, кв. 12", "живу [address], [address], [address]"),
        ("I live at 12 Baker Street, apt 4", "I live at [address], [address]"),
        ("Меня зовут Пётр Иванов, не работает", "Меня зовут [name] , не работает"),
        ("My name is Oleg Sidorov", "My name is [name]"),
        ("оператор Анна Петрова грубила", "оператор [name] грубила"),
        ("Иванов И. И. не пришёл", "[name] не пришёл"),
        ("Waited 20 minutes,\nthe operator was rude", "Waited 20 minutes, the operator was rude"),
        ("Мастер пришёл вовремя", "Мастер пришёл вовремя"),
    ],
)
def test_what_tells_who_somebody_is_does_not_pass(written, shown):
    assert text.masked(written) == shown


@pytest.mark.parametrize(
    "forms",
    [
        ("роутер", "роутера", "роутером", "роутеры"),
        ("обновление", "обновления", "обновлением"),
        ("перезагружается", "перезагружался"),
        ("вежливый", "вежливая", "вежливо"),
        ("restart", "restarts", "restarted", "restarting"),
        ("stop", "stopped", "stopping"),
        ("reply", "replies"),
    ],
)
def test_forms_of_a_word_come_together(forms):
    assert len({text.stem(word) for word in forms}) == 1


def test_words_are_counted_without_placeholders_and_stop_words():
    assert text.words("The router, [e-mail] and ROUTERS are not ok. Роутер не работает") == {
        "router": "router", "роутер": "роутер", "работа": "работает",
    }  # fmt: skip


def test_log_odds_and_z_are_monroes():
    """Equations 16, 19, 20 and 22, by hand for one word."""
    now, before = Counter({"router": 60, "wait": 40}), Counter({"router": 20, "wait": 380})
    (found,) = words.risen(now, before, before)
    prior = 100 * 20 / 400
    y, x = 60 + prior, 20 + prior
    log_odds = math.log(y / (100 + 100 - y)) - math.log(x / (400 + 100 - x))
    assert (found.term, found.comments, found.comments_before) == ("router", 60, 20)
    assert found.log_odds == pytest.approx(log_odds)
    assert found.z == pytest.approx(log_odds / math.sqrt(1 / y + 1 / x))


def test_few_voices_and_a_beginning_are_no_rise():
    before = Counter({"wait": 500})
    assert words.risen(Counter({"router": 2, "wait": 50}), before, before) == []
    assert [one.term for one in words.risen(Counter({"router": 9, "wait": 50}), before, before)] == ["router"]
    assert words.risen(Counter({"router": 9}), Counter(), Counter()) == []


def _comment(number: int, said: str, points: int = 5, branch: str = "b1", topic: str = "t1") -> words.Comment:
    return words.Comment(
        f"r{number:03}", branch, topic, said, text.words(said), points, points <= 3, MONDAY, MONDAY
    )  # fmt: skip


def test_rows_of_a_week_by_group_with_few_examples():
    before = [_comment(n, "waited too long") for n in range(100)]
    week = [_comment(n, f"router number {'abcdefgh'[n]} broke", points=1 + n // 2) for n in range(8)]
    week += [_comment(10 + n, "waited again", branch="b2") for n in range(3)]
    rows = [dict(zip([c for c, _ in words.COLUMNS], row, strict=True)) for row in words.of_week(MONDAY, week, before)]
    risen = {(r["branch_id"], r["topic_id"]) for r in rows if r["kind"] == "word" and r["term"] == "router"}
    assert risen == {("b1", "t1"), ("b1", "*"), ("*", "t1"), ("*", "*")}
    (router,) = [r for r in rows if r["term"] == "router" and (r["branch_id"], r["topic_id"]) == ("*", "*")]
    assert (router["comments"], router["comments_all"], router["comments_before"]) == (8, 11, 0)
    assert router["note"].count(" | ") == words.MOST_EXAMPLES - 1
    assert router["note"].startswith("router number a broke")  # the least satisfied first
    (unhappy,) = [r for r in rows if r["kind"] == "comment" and (r["branch_id"], r["topic_id"]) == ("*", "*")]
    assert (unhappy["comments"], unhappy["comments_all"]) == (6, 11)
    assert rows == sorted(rows, key=lambda r: (r["branch_id"], r["topic_id"])), "in a fixed order"
    again = list(words.of_week(MONDAY, week[::-1], before[::-1]))
    assert [list(r.values()) for r in rows] == again, "the order of rows does not show"
