"""What the core says in English has its words in the views, so that a catalog has them all."""

from decimal import Decimal
from pathlib import Path

import core
from bot.views import audit, causes, retcodes, rule_titles
from core.domain.audit_findings import WORDS
from core.domain.headroom import minimum_rule, peak_rule
from core.domain.retcodes import LAST_ERRORS, RETCODES
from core.rule_files import shipped


def test_every_answer_of_a_broker_has_its_sentence() -> None:
    assert {row.sentence for row in (*RETCODES, *LAST_ERRORS)} == retcodes.SENTENCES


def test_an_answer_is_said_by_its_code_and_its_text() -> None:
    assert retcodes.sentence(10019) == "The broker says that funds are missing."
    refused = "The MetaTrader5 library refused the request and names the argument."
    assert retcodes.sentence(-2, 'Invalid "volume" argument') == refused
    assert retcodes.sentence(4711) == "Code 4711 is not known."


def test_everything_that_is_found_of_a_chain_has_its_sentence() -> None:
    assert audit.FINDINGS == WORDS


def test_every_rule_that_is_brought_along_has_its_title() -> None:
    brought = [rule for profile in shipped().values() for rule in profile.rules]
    brought += [peak_rule("peak", Decimal(20)), minimum_rule(Decimal(100))]
    assert {rule.title for rule in brought} == set(rule_titles.TITLES)


def test_a_title_within_a_sentence_begins_small_and_an_operators_own_is_harmless() -> None:
    for title, within in rule_titles.TITLES.items():
        assert within == title.lower()
        assert rule_titles.named(title) == within
        assert rule_titles.titled(title) == title
    assert rule_titles.named("My <Rule>") == "my &lt;rule&gt;"
    assert rule_titles.titled("My <Rule>") == "My &lt;Rule&gt;"


def test_every_cause_that_has_words_is_one_that_the_engine_gives() -> None:
    engine = "".join(path.read_text("utf-8") for path in Path(core.__path__[0]).rglob("*.py"))
    for cause in (*causes.KNOWN, causes.NO_ANSWER):
        assert cause in engine, cause


def test_a_cause_is_said_and_what_is_from_outside_is_harmless() -> None:
    assert causes.cause("not read yet") == "not read yet"
    assert causes.cause("IPC <timeout>") == "IPC &lt;timeout&gt;"
    no_answer = "the terminal did not answer (TimeoutError: <slow>)"
    assert causes.cause(no_answer) == no_answer.replace("<slow>", "&lt;slow&gt;")
