"""``python -m tests.faults.kills [--times N] [--seed N] [--victim client|server|both]``."""

from __future__ import annotations

import argparse
import random
import sys

from tests.faults.kills.moments import Moment, killed_client, killed_server, undisturbed
from tests.faults.server import Server


def main() -> int:
    """Kill again and again; 0 where nothing was ever lost or torn."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.kills", description=__doc__)
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    parser.add_argument("--victim", choices=("client", "server", "both"), default="both")
    given = parser.parse_args()
    draws, failures = random.Random(given.seed), 0
    print(f"seed {given.seed}, {given.times} times", flush=True)
    with Server.running() as server:
        whole = undisturbed(server, given.seed)
        for number in range(given.times):
            moment = Moment.drawn(draws)
            for victim, kill in (("client", killed_client), ("server", killed_server)):
                if given.victim not in (victim, "both"):
                    continue
                wrong = kill(server, given.seed, moment, whole)
                failures += bool(wrong)
                if wrong or number % 10 == 9:
                    print(
                        f"{number + 1} of the {victim}: {'; '.join(wrong[:5]) or 'all is well'}  {moment}", flush=True
                    )
    print("verdict: " + (f"{failures} kills did harm" if failures else "all is well"))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
