"""The long form: `uv run python -m tests.simulation --seeds 1000 --jobs 2`.

Each seed is a world (`tests.simulation.world`). A seed that goes wrong prints one command that
replays it with its record; exit 1 if one did.
"""

import argparse
import gc
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from typing import Final

from tests.simulation.play import Played, known_seeds, play, silence, template

TOLD_EVERY_S: Final = 10.0
QUIET: Final = ExitStack()
"""Silence for as long as this process lives."""
CHUNK: Final = 8
"""Worlds handed to a process at a time."""


def _begin() -> None:
    QUIET.enter_context(silence())
    template()
    # A world leaves little behind, and what there is before the first one stays for ever.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def played(seeds: Iterable[int], jobs: int) -> Iterator[Played]:
    """Play each, as they come."""
    _begin()
    if jobs == 1:
        yield from map(play, seeds)
        return
    with ProcessPoolExecutor(jobs, initializer=_begin) as pool:
        yield from pool.map(play, seeds, chunksize=CHUNK)


def run(first: int, count: int, jobs: int) -> int:
    """Play `count` worlds from a seed on; the exit code."""
    began = told = time.perf_counter()
    counts: Counter[str] = Counter()
    wrong: list[int] = []
    done = 0
    seeds = list(dict.fromkeys([*known_seeds(), *range(first, first + count)]))
    for each in played(seeds, jobs):
        done += 1
        counts.update(each.counts)
        counts["simulated s"] += round(each.lasted_s)
        if each.wrong is not None:
            wrong.append(each.seed)
            print(f"seed {each.seed}: {each.wrong}")
            print(f"  uv run python -m tests.simulation --seed {each.seed} --trace", flush=True)
        now = time.perf_counter()
        if now - told >= TOLD_EVERY_S:
            told = now
            print(f"{done} of {len(seeds)}, {done / (now - began):.1f} worlds/s", flush=True)
    took_s = time.perf_counter() - began
    summary = ", ".join(f"{name} {number}" for name, number in sorted(counts.items()))
    print(f"{done} worlds in {took_s:.0f} s, {done / took_s:.1f}/s; {summary}")
    print(f"wrong: {wrong}" if wrong else "nothing wrong")
    return 1 if wrong else 0


def replay(seed: int, *, trace: bool) -> int:
    """Play one world twice and say what happened; the exit code."""
    _begin()
    one = play(seed, keeps=trace)
    if trace:
        print("\n".join(one.trace))
    print(f"seed {seed}: {one.lasted_s:.0f} s simulated in {one.took_s:.2f} s, {one.counts}")
    again = play(seed)
    same = "the same again" if again.fingerprint == one.fingerprint else "NOT the same again"
    print(f"fingerprint {one.fingerprint}, {same}")
    print("nothing wrong" if one.wrong is None else f"WRONG: {one.wrong}")
    return 0 if one.wrong is None and same == "the same again" else 1


def main() -> int:
    """Play what was asked for; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="how many worlds")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first seed")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--seed", type=int, help="one world, played twice")
    parser.add_argument("--trace", action="store_true", help="print that world's record")
    asked = parser.parse_args()
    if asked.seed is not None:
        return replay(asked.seed, trace=asked.trace)
    return run(asked.first, asked.seeds, asked.jobs)


if __name__ == "__main__":
    sys.exit(main())
