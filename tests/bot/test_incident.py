"""/incident through the real dispatcher: who may ask where, and what they get."""

from typing import Any

import pytest
from aiogram.methods import SendDocument

from tests.fakes.shell import ANN, BO, OLGA, Conversation
from tests.fakes.telegram import ADMIN_CHAT, message_json


@pytest.fixture
def chat() -> Conversation:
    return Conversation()


def document(chat: Conversation) -> Any:  # noqa: ANN401 - an InputFile
    (file,) = chat.telegram.named("sendDocument")
    assert isinstance(file, SendDocument)
    return file.document


async def test_a_client_gets_the_list_and_one_with_its_document(chat: Conversation) -> None:
    await chat.feed(message_json(ANN, "/incident"))
    assert "<b>17</b> 50001: drawdown limit, proved flat" in chat.said
    assert "Smith" not in chat.said, "a client reads no names of clients"
    await chat.feed(message_json(ANN, "/incident 17"))
    assert chat.incidents.asked == [(ANN, None), (ANN, 17)]
    assert chat.said.startswith("<b>[DEMO] 🧾 Incident 17: 50001, drawdown limit</b>")
    assert document(chat).filename == "incident-17-50001.html"
    await chat.feed(message_json(ANN, "/incident gold"))
    assert "I do not understand 'gold'" in chat.said


async def test_anothers_is_refused_and_audited_as_everywhere(chat: Conversation) -> None:
    await chat.feed(message_json(BO, "/incident 17"))
    assert chat.telegram.named("sendDocument") == []
    assert chat.services.refused[0][0] == BO


async def test_in_the_admin_chat_only_admins_are_answered(chat: Conversation) -> None:
    await chat.feed(message_json(OLGA, "/incident", ADMIN_CHAT))
    assert "Ann &lt;Smith&gt;" in chat.said
    await chat.feed(message_json(OLGA, "/incident 17", ADMIN_CHAT))
    assert document(chat).filename == "incident-17-50001.html"
    await chat.feed(message_json(ANN, "/incident 17", ADMIN_CHAT))
    assert "only in private" in chat.said
    assert chat.telegram.named("sendDocument") == []
