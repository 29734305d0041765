"""Call-back surveys: who answered what when, as the survey server stores it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from demo import calls as c
from demo import crm
from demo import world as w
from demo.pbx import local_texts

SURVEY_ZONE = ZoneInfo("Europe/Moscow")
CONNECTION, REPAIR, GENERAL, INACTIVE = "811001", "811002", "811003", "811004"
TITLES = {
    CONNECTION: "After a connection / После подключения",
    REPAIR: "After a repair / После ремонта",
    GENERAL: "How are we doing? / Как мы работаем?",
    INACTIVE: "Spring campaign (not started)",
}
QUESTIONS: dict[str, tuple[str, ...]] = {
    CONNECTION: ("CONTRACT", "ORDERNO", "SOLVED", "SAT", "NPS", "EASY", "COMMENT", "RESULT"),
    REPAIR: ("CONTRACT", "CASENO", "EMPLOYEE", "SOLVED", "FIRST", "SAT", "NPS", "EASY", "COMMENT", "RESULT"),
    GENERAL: ("PHONE", "CALLID", "EMPLOYEE", "SAT", "NPS", "COMMENT", "RESULT"),
}
GOOD = (
    "All fine, thank you", "Спасибо, всё быстро", "Very polite operator", "Мастер пришёл вовремя",
    "Everything works", "Вежливо и понятно объяснили", "Call me on +7 921 555-01-02 if there is news",
)  # fmt: skip
BAD = (
    "Waited too long", "Ничего не решили, звоню третий раз", "The operator was rude", "Интернет снова не работает",
    "Nobody called back", "Обещали в понедельник, пришли в четверг", "Перезвоните на 8 912 555 33 44",
)  # fmt: skip
THEME_WEEK = date(2026, 10, 19)
THEME_TOPICS = ("no_internet", "slow_speed", "wifi_setup", "router_fault")
THEME_WORDS = ("router", "update", "роутер", "обновления")
"""In the week that begins on that Monday, many who would have said nothing speak of routers after an update."""

THEME = (
    "The router restarts every evening since the update", "Роутер перезагружается после обновления",
    "After the update my router loses the signal, write to ivanov.petr@example.org",
    "После обновления роутера пропадает вай-фай, договор C104512", "Роутер снова завис после вашего обновления",
    "New router firmware, and the update broke the TV. My name is Oleg Sidorov",
    "Обновление роутера сделали ночью, живу ул. Лесная, д. 5, кв. 12, приезжайте",
)  # fmt: skip


@dataclass
class Response:
    """One interview, or one call in vain. ``started``, ``first_saved``, ``submitted``: UTC epoch; ``submitted`` None
    when never finished; ``paused_after``: answers given in the first sitting when there were two."""

    survey: str
    number: int
    started: int
    first_saved: int
    submitted: int | None
    paused_after: int
    answers: dict[str, str]


def responses(world: w.World, days: c.Days, happened: crm.Crm) -> list[Response]:
    """All interviews that are held whoever owes a call, in the order in which they were begun."""
    dice = c.Dice(world.rng(50))
    found = _after_connections(dice, world, happened)
    found += _after_repairs(dice, world, happened)
    found += _general(dice, world, days)
    found = [r for r in found if world.start <= r.started]
    _speak_of_the_theme(world, happened, found)
    return sorted(found, key=lambda r: r.started)


def numbered(found: list[Response]) -> list[Response]:
    """``found`` by the time they were begun; response ids count within a survey in this order."""
    found = sorted(found, key=lambda r: r.started)
    counts: dict[str, int] = {}
    for one in found:
        counts[one.survey] = one.number = counts.get(one.survey, 0) + 1
    return found


def _begin(dice: c.Dice, after: int, most_days: int) -> int:
    """An interview between 10:00 and 21:30 in the survey server's time, some days later."""
    day = w.local_day(after, SURVEY_ZONE) + timedelta(days=1 + dice.whole(0, most_days))
    return w.epoch(day, SURVEY_ZONE, 10) + dice.whole(0, 41_000)


def response(dice: c.Dice, survey: str, started: int, answers: dict[str, str]) -> Response:
    """An interview: finished at once, on a later day, or never. The interviewer's note of the call comes last."""
    answers = dict(answers)
    first = started + dice.whole(60, 400)
    kept, asked = dice.u(), len(answers)
    answers["RESULT"] = "A1"
    if kept < 0.86:
        return Response(survey, 0, started, first, first, len(answers), answers)
    stopped = dice.whole(asked - 3, asked)
    later = first + dice.whole(20_000, 5 * 86400) if kept < 0.93 else None
    return Response(survey, 0, started, first, later, stopped, answers)


def opinion(dice: c.Dice, feeling: float) -> dict[str, str]:
    """Answers to the questions of opinion by somebody whose mean ``feeling`` is on the scale 1 to 5."""
    satisfied = max(1, min(5, round(feeling + 0.7 * dice.n())))
    recommend = max(0, min(10, round(2.1 * feeling - 0.6 + 1.6 * dice.n())))
    effort = max(1, min(7, round(1.5 * feeling - 0.8 + 1.1 * dice.n())))
    text = (GOOD if satisfied >= 4 else BAD)[dice.whole(0, 7)] if dice.chance(0.4) else ""
    return {"SAT": str(satisfied), "NPS": str(recommend), "EASY": str(effort), "COMMENT": text}


def _after_connections(dice: c.Dice, world: w.World, happened: crm.Crm) -> list[Response]:
    found = []
    for order in happened.orders:
        if order.connected is None or not dice.chance(0.55):
            continue
        answers = {
            "CONTRACT": world.subscribers.ids[order.subscriber], "ORDERNO": f"ORD-{order.number:05d}",
            "SOLVED": "Y" if dice.chance(0.95) else "N", **opinion(dice, 3.0 if order.is_late else 4.5),
        }  # fmt: skip
        found.append(response(dice, CONNECTION, _begin(dice, order.connected, 3), answers))
    return found


def _after_repairs(dice: c.Dice, world: w.World, happened: crm.Crm) -> list[Response]:
    found = []
    for case in happened.cases:
        if case.subscriber < 0 or not dice.chance(0.16):
            continue
        solved = case.times("solved")
        once = len(solved) == 1
        staff = "" if case.operator is None else world.operators[case.operator].operator_id
        answers = {
            "CONTRACT": world.subscribers.ids[case.subscriber], "CASENO": case.case_no, "EMPLOYEE": staff,
            "SOLVED": "Y" if dice.chance(0.93 if once else 0.6) else "N",
            "FIRST": "A1" if once and dice.chance(0.8) else ("A2" if dice.chance(0.85) else "A3"),
            **opinion(dice, 4.3 if once else 3.2),
        }  # fmt: skip
        found.append(response(dice, REPAIR, _begin(dice, solved[0], 2), answers))
    return found


def _general(dice: c.Dice, world: w.World, days: c.Days) -> list[Response]:
    found = []
    for contact in days.contacts:
        if contact.outcome != "answered" or not contact.phone or not dice.chance(0.035):
            continue
        operator = world.operators[contact.answered[0].operator or 0].operator_id
        said = opinion(dice, crm.mood_of(world, contact))
        said.pop("EASY")
        answers = {
            "PHONE": f"+{contact.phone}", "CALLID": contact.callid if dice.chance(0.6) else "",
            "EMPLOYEE": operator, **said,
        }  # fmt: skip
        found.append(response(dice, GENERAL, _begin(dice, contact.ended, 2), answers))
    return found


def _speak_of_the_theme(world: w.World, happened: crm.Crm, found: list[Response]) -> None:
    """Fill empty comments of the theme's week after a repair of its topics; nothing else of an answer changes."""
    dice = c.Dice(world.rng(85))
    topic = {case.case_no: case.topic for case in happened.cases}
    for response in found:
        began = w.local_day(response.started, SURVEY_ZONE)
        about = topic.get(response.answers.get("CASENO", ""))
        if THEME_WEEK <= began < THEME_WEEK + timedelta(days=7) and about in THEME_TOPICS:
            text = THEME[dice.whole(0, len(THEME))] if dice.chance(0.8) else ""
            response.answers["COMMENT"] = response.answers["COMMENT"] or text


def stored(found: list[Response]) -> dict[str, list[dict[str, Any]]]:
    """By survey: what the server's table holds, with local times and the instants that reveal them."""
    zone = SURVEY_ZONE
    started = local_texts([r.started for r in found], zone)
    saved = local_texts([r.first_saved for r in found], zone)
    finished = local_texts([r.submitted or r.first_saved for r in found], zone)
    tables: dict[str, list[dict[str, Any]]] = {sid: [] for sid in QUESTIONS}
    for r, began, first, done in zip(found, started, saved, finished, strict=True):
        tables[r.survey].append({
            "id": r.number, "started_at": r.started, "saved_at": r.first_saved, "submitted_at": r.submitted,
            "startdate": began, "first_datestamp": first, "submitdate": done, "paused_after": r.paused_after,
            "answers": r.answers,
        })  # fmt: skip
    return tables


def shown(table: list[dict[str, Any]], survey: str, until: int) -> list[dict[str, Any]]:
    """Rows of a survey's response table at ``until`` (UTC epoch), as the server exports them."""
    rows = []
    for r in table:
        if r["saved_at"] >= until:
            continue
        done = r["submitted_at"] is not None and r["submitted_at"] < until
        given = list(r["answers"])[: None if done else r["paused_after"]]
        rows.append({
            "id": str(r["id"]), "submitdate": r["submitdate"] if done else None,
            "lastpage": "2" if done else "1", "startlanguage": "ru", "seed": str(1_000_000 + r["id"]),
            "startdate": r["startdate"], "datestamp": r["submitdate"] if done else r["first_datestamp"],
            **{q: r["answers"][q] if q in given else None for q in QUESTIONS[survey]},
        })  # fmt: skip
    return rows
