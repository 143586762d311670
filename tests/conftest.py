"""What every test shares: no settings of the developer reach it, and code is compiled once."""

import gc
import os
import sys
from collections.abc import Generator

import hypothesis
import pytest

from core.config import Settings

# How long an example takes is the machine's affair: it may be busy.
hypothesis.settings.register_profile(
    "unhurried", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("unhurried")


def pytest_configure(config: pytest.Config) -> None:
    """Keep compiled code where the shell asks to write none beside the sources.

    Else each worker, and each program that a test starts, compiles some two thousand modules anew:
    a quarter of the whole run.
    """
    if not sys.dont_write_bytecode or hasattr(config, "workerinput"):
        return
    kept = str(config.rootpath / ".cache" / "bytecode")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix = kept
    sys.dont_write_bytecode = False


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is loaded by the end is never garbage: no collection of a test looks through it."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


@pytest.fixture(autouse=True)
def _no_settings_of_the_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
