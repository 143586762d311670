"""Only the loopback's own names may ask, written exactly; for the world's port and the app's."""

import aiohttp
import pytest
from prometheus_client import CollectorRegistry

from bot.loopback import is_loopback, is_loopback_origin
from bot.web import Web

OURS = [
    "127.0.0.1",
    "127.0.0.1:8090",
    "127.8.8.8:1",
    "localhost",
    "LocalHost:80",
    "[::1]",
    "[::1]:65535",
]
NOT_OURS = [
    "",
    ":80",
    "evil@127.0.0.1",
    "evil:x@127.0.0.1:80",
    "127.0.0.1@evil.example",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "127.0.0.1:80:80",
    "127.0.0.1:",
    "127.0.0.1:x",
    "127.0.0.1:123456",
    "127.0.0.1/x",
    "127.0.0.1 ",
    "127.0.0.1\n",
    "127.0.0.256",
    "127.0.0.01",
    "127.1",
    "::1",
    "[::1",
    "[::ffff:127.0.0.1]",
    "0.0.0.0",
    "10.0.0.1",
]


@pytest.mark.parametrize("authority", OURS)
def test_a_loopback_host_with_or_without_a_port_may_ask(authority: str) -> None:
    assert is_loopback(authority)
    assert is_loopback_origin(f"http://{authority}")


@pytest.mark.parametrize("authority", NOT_OURS)
def test_anything_before_or_after_the_host_may_not(authority: str) -> None:
    assert not is_loopback(authority)
    assert not is_loopback_origin(f"http://{authority}")


@pytest.mark.parametrize("origin", ["null", "localhost", "file://localhost", "http:/localhost"])
def test_an_origin_is_a_page_of_this_machine(origin: str) -> None:
    assert not is_loopback_origin(origin)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost:1", "Origin": "http://127.0.0.1:8090"}, 200),
        ({"Host": "evil@127.0.0.1"}, 403),
        ({"Host": "evil.example"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "http://evil@127.0.0.1"}, 403),
    ],
)
async def test_the_apps_port_asks_the_same(headers: dict[str, str], status: int) -> None:
    async def nobody(_token: str) -> None:
        return None

    web = Web(
        host="127.0.0.1",
        port=0,
        registry=CollectorRegistry(),
        is_ready=lambda: None,
        expected=nobody,
    )
    await web.start()
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{web.url}/healthz", headers=headers) as answer,
        ):
            assert answer.status == status
    finally:
        await web.stop()
