"""The long run: `python -m tests.simulation.run --seed 1 --steps 5000`.

Prints its seed, and where something is wrong the steps that lead there, as few as a bounded number
of further runs leaves.
"""

import argparse
import asyncio
import logging
import re
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import structlog
from msgspec import Struct

from tests.simulation.actions import BY_NAME, RULES, step
from tests.simulation.dice import ReplayedDice, SeededDice
from tests.simulation.stage import Stage
from tests.simulation.watch import Wrong

TRIES_MAX: Final = 120
"""Runs that are spent on making a history shorter."""
KIND_LENGTH: Final = 40
"""So much of what was wrong must be the same after a step was left out."""


class Step(Struct, frozen=True):
    """One step as it was drawn, and what it turned out to be."""

    rule: str
    drawn: tuple[int, ...]
    text: str = ""


class Failure(Struct, frozen=True):
    """What was wrong, and the steps up to there."""

    wrong: str
    steps: tuple[Step, ...]

    @property
    def kind(self) -> str:
        """What was wrong, without its figures."""
        return re.sub(r"\d[\d.]*", "#", self.wrong)[:KIND_LENGTH]


def draw_rule(stage: Stage, dice: SeededDice) -> str:
    """One of the rules that can be followed now, by weight."""
    able = [rule for rule in RULES if rule.can(stage)]
    place = dice.whole(0, sum(rule.weight for rule in able) - 1)
    for rule in able:
        place -= rule.weight
        if place < 0:
            return rule.name
    raise AssertionError("weights do not add up")


async def play(seed: int, steps: int, *, agents: bool = False) -> Failure | None:
    """Follow rules by seed; answers the first thing that is wrong, or None."""
    dice, done = SeededDice(seed), list[Step]()
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(Path(folder), agents=agents)
        try:
            await stage.start()
            for _ in range(steps):
                rule = draw_rule(stage, dice)
                dice.drawn.clear()
                try:
                    text = await step(stage, BY_NAME[rule], dice)
                except Wrong as wrong:
                    done.append(Step(rule, tuple(dice.drawn), "<- here"))
                    return Failure(f"{wrong}", tuple(done))
                done.append(Step(rule, tuple(dice.drawn), text))
        finally:
            await stage.close()
    return None


async def replay(steps: Sequence[Step], *, agents: bool = False) -> Failure | None:
    """Play a history again; what cannot be done any more is left out."""
    done = list[Step]()
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(Path(folder), agents=agents)
        try:
            await stage.start()
            for one in steps:
                rule = BY_NAME[one.rule]
                if not rule.can(stage):
                    continue
                try:
                    text = await step(stage, rule, ReplayedDice(one.drawn))
                except Wrong as wrong:
                    done.append(Step(one.rule, one.drawn, "<- here"))
                    return Failure(f"{wrong}", tuple(done))
                done.append(Step(one.rule, one.drawn, text))
        finally:
            await stage.close()
    return None


async def shorten(failure: Failure, *, agents: bool = False) -> Failure:
    """Leave out what is not needed for something to be wrong, within a bounded number of runs."""
    best, tries = failure, 0
    size = max(1, len(best.steps) // 2)
    while size and tries < TRIES_MAX:
        start = 0
        while start < len(best.steps) and tries < TRIES_MAX:
            left = best.steps[:start] + best.steps[start + size :]
            tries += 1
            again = await replay(left, agents=agents)
            same = again is not None and again.kind == failure.kind
            if again is not None and same and len(again.steps) < len(best.steps):
                best = again
            else:
                start += size
        size = min(size // 2, len(best.steps) // 2)
    return best


def told(failure: Failure) -> str:
    """The history as a person reads it."""
    lines = [f"  {number:3} {one.text or one.rule}" for number, one in enumerate(failure.steps, 1)]
    lines[-1] = f"  {len(lines):3} {failure.steps[-1].rule} {failure.steps[-1].text}"
    return "\n".join([*lines, f"WRONG: {failure.wrong}"])


def main() -> int:
    """Run; 0 where nothing is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=5000)
    parser.add_argument("--agents", action="store_true", help="through the real agent code")
    parser.add_argument("--as-it-is", action="store_true", help="do not make a history shorter")
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    print(f"seed {asked.seed}, {asked.steps} steps", flush=True)
    began = time.perf_counter()
    failure = asyncio.run(play(asked.seed, asked.steps, agents=asked.agents))
    took_s = time.perf_counter() - began
    if failure is None:
        print(f"nothing wrong in {asked.steps} steps, {took_s:.1f} s")
        return 0
    print(f"SIM_SEED={asked.seed}: wrong at step {len(failure.steps)}, {took_s:.1f} s", flush=True)
    print(f"WRONG: {failure.wrong}", flush=True)
    if not asked.as_it_is:
        failure = asyncio.run(shorten(failure, agents=asked.agents))
    print(told(failure))
    return 1


if __name__ == "__main__":
    sys.exit(main())
