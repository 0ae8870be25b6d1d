"""``python -m tests.faults.runner --seed N --seconds S [--server embedded|DSN] [--tasks N]``."""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
from contextlib import nullcontext

from tests.faults.runner.run import run, summary
from tests.faults.server import Server


def main() -> int:
    """Run, print what became of it; 0 where all is well."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.runner", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--tasks", type=int, default=24)
    parser.add_argument("--server", default="embedded", help="'embedded', or the DSN of an empty migrated database")
    given = parser.parse_args()
    print(f"seed {given.seed}, {given.seconds:g} s, {given.tasks} tasks", flush=True)
    with Server.running() if given.server == "embedded" else nullcontext() as server:
        dsn = given.server if server is None else server.dsn
        result = asyncio.run(
            run(given.seed, given.seconds, dsn, server, tasks=given.tasks, say=lambda line: print(line, flush=True))
        )
    print(*summary(result), sep="\n")
    if result.wrong:
        print(f"again: python -m tests.faults.runner --seed {given.seed} --seconds {given.seconds:g}")
    return 1 if result.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
