"""Comments as words: personal data masked, Russian and English told apart, endings cut off.

The stemmers are light: the Russian one follows the steps of the Snowball algorithm (Porter 2001), the English one the
first step of Porter 1980. They bring forms of a word together for counting, no more.
"""

from __future__ import annotations

import re
from sys import intern

_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_LINK = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_CONTRACT = re.compile(
    r"\b(?:[a-zа-я]{1,4}-?\d{4,}|(?:№|#|no\.?)\s*[\w/-]*\d[\w/-]*)"
    r"|\b(?:(?:договор|лицев\w+ сч[её]т|сч[её]т|contract|account|order)\w*)"
    r"\s+(?:№|#|no\.?|number|номер)?\s*[\w/-]*\d[\w/-]*",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\+?\d(?:[\s()./-]*\d){4,}")
_STREET = re.compile(
    r"\b(?:ул(?:\.|ица|ице|ицу|ицы)|пр(?:-т|-кт|оспект\w*)\.?|пер(?:\.|еул\w+)|шоссе|бульвар\w*|б-р|наб(?:\.|ережн\w+)|"
    r"мкр\.?|пос\.|дер\.|г\.)\s*[А-ЯЁA-Z]?[\w-]+(?:\s+[А-ЯЁA-Z][\w-]+)?"
    r"|\b[A-Z][\w-]+\s+(?:street|st\.|avenue|ave\.|road|rd\.|lane)"
    r"|\b\d+[-\w]*\s+[A-Z][\w-]+\s+(?:street|st|avenue|ave|road|rd|lane)\b",
    re.IGNORECASE,
)
_HOUSE = re.compile(
    r"\b(?:д(?:\.|ом\w*)|кв(?:\.|артир\w*)|корп?(?:\.|ус\w*)|подъезд\w*|под\.|этаж\w*|эт\.|apartment|apt\.?|flat|house)"
    r"\s*(?:№|#)?\s*\d+[\w/-]*",
    re.IGNORECASE,
)
_MARKER = (
    r"меня\s+зовут|зовут|моя\s+фамилия|фамилия|я\s*,|абонент\w*|оператор\w*|сотрудни\w+|мастер\w*|монт[её]р\w*|"
    r"инженер\w*|девушк\w+|менеджер\w*|госпо\w+|my\s+name\s+is|name\s+is|name:|operator|technician|engineer|manager|"
    r"mr\.?|mrs\.?|ms\.?|miss|regards,"
)
_NAME = re.compile(rf"\b((?i:{_MARKER}))\s+((?:[А-ЯЁA-Z][а-яёa-z]+\.?\s*|[А-ЯЁA-Z]\.\s*){{1,3}})")
_INITIALS = re.compile(
    r"\b[А-ЯЁA-Z][а-яёa-z]+\s+[А-ЯЁA-Z]\.\s?[А-ЯЁA-Z]\.|\b[А-ЯЁA-Z]\.\s?[А-ЯЁA-Z]\.\s?[А-ЯЁA-Z][а-яёa-z]+"
)
_PLACEHOLDER = re.compile(r"\[[a-z_ -]+\]|<[a-z_ -]+>")
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?|[а-я]+(?:-[а-я]+)*")

LEAST_LETTERS = 3

_STOP_RUSSIAN = """
и в во не что он на я с со как а то все она так его но да ты к у же вы за бы по только ее мне было вот от меня еще
нет о из ему теперь когда даже ну вдруг ли если уже или ни быть был него до вас нибудь опять уж вам ведь там потом
себя ничего ей может они тут где есть надо ней для мы тебя их чем была сам чтоб без будто чего раз тоже себе под
будет ж тогда кто этот того потому этого какой совсем ним здесь этом один почти мой тем чтобы нее сейчас были куда
зачем всех никогда можно при наконец два об другой хоть после над больше тот через эти нас про всего них какая много
разве три эту моя впрочем хорошо свою этой перед иногда лучше чуть том нельзя такой им более всегда конечно всю
между это очень просто вообще моего ваш ваша ваше ваши вашего наш наша нам вами нами который которая которые
"""
_STOP_ENGLISH = """
the and for are but not you all any can had her was one our out his has have him how man its she too use that this
with from they were been what when your will would there their them then than into just also very much more most
some such only own same other over under again once here why who whom which while where about after before because
until both each few nor did does doing done don't didn't isn't wasn't i'm i've it's me my we us is it in on of to at
by an as be do no so up or if am a i
"""
STOP = frozenset((_STOP_RUSSIAN + _STOP_ENGLISH).split())


def masked(text: str) -> str:
    """The comment in one line without what tells who or where somebody is, as far as a pattern can see it.

    E-mail addresses, links, contract and other long numbers, addresses, and names that follow a word such as "my name
    is" or stand with initials become [e-mail], [link], [number], [address] and [name].
    """
    text = " ".join(text.split())
    text = _EMAIL.sub("[e-mail]", text)
    text = _LINK.sub("[link]", text)
    text = _CONTRACT.sub("[number]", text)
    text = _NUMBER.sub("[number]", text)
    text = _STREET.sub("[address]", text)
    text = _HOUSE.sub("[address]", text)
    text = _INITIALS.sub("[name]", text)
    return _NAME.sub(lambda m: f"{m.group(1)} [name] ", text).strip()


def words(text: str) -> dict[str, str]:
    """The words of a masked comment that say something: {stem: word as written, small letters}.

    Placeholders, stop words and words of fewer than three letters are left out; of forms of one stem the first stands.
    """
    found: dict[str, str] = {}
    for word in _WORD.findall(_PLACEHOLDER.sub(" ", text.lower()).replace("ё", "е")):
        if len(word) >= LEAST_LETTERS and word not in STOP:
            found.setdefault(intern(stem(word)), intern(word))  # many comments, few words
    return found


def stem(word: str) -> str:
    """The word (small letters) without its endings; Russian by its letters, English otherwise."""
    return _russian(word) if re.search("[а-я]", word) else _english(word)


# -- Russian: the steps of Snowball ---------------------------------------------------------------------

_VOWELS = "аеиоуыэюя"
_GERUND = re.compile(r"(?:(?<=[ая])(?:в|вши|вшись)|(?:ив|ивши|ившись|ыв|ывши|ывшись))$")
_REFLEXIVE = re.compile(r"(?:ся|сь)$")
_ADJECTIVE = re.compile(r"(?:ее|ие|ые|ое|ими|ыми|ей|ий|ый|ой|ем|им|ым|ом|его|ого|ему|ому|их|ых|ую|юю|ая|яя|ою|ею)$")
_PARTICIPLE = re.compile(r"(?:(?<=[ая])(?:ем|нн|вш|ющ|щ)|(?:ивш|ывш|ующ))$")
_VERB = re.compile(
    r"(?:(?<=[ая])(?:ла|на|ете|йте|ли|й|л|ем|н|ло|но|ет|ют|ны|ть|ешь|нно)"
    r"|(?:ила|ыла|ена|ейте|уйте|ите|или|ыли|ей|уй|ил|ыл|им|ым|ен|ило|ыло|ено|ят|ует|уют|ит|ыт|ены|ить|ыть|ишь|ую|ю))$"
)
_NOUN = re.compile(
    r"(?:иями|ями|ами|ией|иям|ием|иях|ев|ов|ие|ье|еи|ии|ей|ой|ий|ям|ем|ам|ом|ах|ях|ию|ью|ия|ья|а|е|и|й|о|у|ы|ь|ю|я)$"
)
_SUPERLATIVE = re.compile(r"(?:ейше|ейш)$")
_DERIVED = re.compile(r"(?:ость|ост)$")


def _russian(word: str) -> str:
    first = next((i + 1 for i, letter in enumerate(word) if letter in _VOWELS), len(word))
    head, tail = word[:first], word[first:]
    short = _cut(_GERUND, tail)
    if short == tail:
        tail = _cut(_REFLEXIVE, tail)
        short = _cut(_ADJECTIVE, tail)
        if short != tail:
            tail = _cut(_PARTICIPLE, short)
        else:
            short = _cut(_VERB, tail)
            tail = short if short != tail else _cut(_NOUN, tail)
    else:
        tail = short
    tail = tail.removesuffix("и")
    tail = _cut(_DERIVED, tail) if len(tail) > 4 else tail
    short = _cut(_SUPERLATIVE, tail)
    tail = short.removesuffix("н") if short.endswith("нн") else short.removesuffix("ь")
    return head + tail


def _cut(ending: re.Pattern[str], text: str) -> str:
    return ending.sub("", text, count=1)


# -- English: step 1 of Porter --------------------------------------------------------------------------


def _english(word: str) -> str:
    word = word.removesuffix("'s").replace("'", "")
    for ending, instead in (("sses", "ss"), ("ies", "y"), ("ss", "ss"), ("us", "us"), ("s", "")):
        if word.endswith(ending):
            word = word[: len(word) - len(ending)] + instead if len(word) > len(ending) + 1 else word
            break
    for ending in ("ing", "ed"):
        root = word.removesuffix(ending)
        if root != word and len(root) >= 3 and re.search("[aeiouy]", root):
            word = root[:-1] if len(root) > 3 and root[-1] == root[-2] and root[-1] not in "lsz" else root
            break
    return word.removesuffix("e") if len(word) > 4 else word
