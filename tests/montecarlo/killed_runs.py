"""Run by test_kill: forks runs of one experiment and kills them, so that the imports are paid once."""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

from cheap_measurements import cheap

from rssp.montecarlo import run, runner

TRIALS = 3000
EXPERIMENT = cheap(cost=0.01)  # 300 batches; three seconds of sleep in all


def forked(directory: Path) -> int:
    child = os.fork()
    if child:
        return child
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background inherits that it is ignored
    try:
        run(EXPERIMENT, TRIALS, out=directory, workers=2, progress=False)
    except KeyboardInterrupt:
        os._exit(3)
    except BaseException as error:
        print(error, file=sys.stderr)
        os._exit(1)
    os._exit(0)


def exit_code(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def killed(directory: Path, parts: int, after: float, how: signal.Signals) -> int:
    """The exit code of a run that is killed a while after it wrote so many parts."""
    wanted = len(list(directory.glob("*/part-*"))) + parts
    child = forked(directory)
    patience = time.monotonic() + 20
    while len(list(directory.glob("*/part-*"))) < wanted and time.monotonic() < patience:
        time.sleep(0.001)
    time.sleep(after)
    os.kill(child, how)
    return exit_code(child)


if __name__ == "__main__":
    root = Path(sys.argv[1])
    runner._FIRST_WRITE = runner._LAST_WRITE = 0.005  # a part every batch or two: a kill often falls into a write
    rng = random.Random(5)
    moments = [(rng.randrange(5), rng.uniform(0.0, 0.03)) for _ in range(10)]
    codes = {
        "kill": [killed(root / "kill", parts, after, signal.SIGKILL) for parts, after in moments],
        "interrupt": [killed(root / "interrupt", 3, 0.02, signal.SIGINT)],
        "two": [exit_code(child) for child in [forked(root / "two"), forked(root / "two")]],
    }
    print(json.dumps(codes))
