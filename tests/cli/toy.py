"""A supervisor over toy programs: `python -m tests.cli.toy '[["name", "shell command", stage], …]' '[1.0, 2.0, 3.0]'`."""

import json
import os
import sys
from pathlib import Path

from app.cli import supervisor
from app.cli.child import Program


def main(programs, stages):
    supervisor.STAGES, supervisor.KILL = tuple(stages), stages[-2]
    toys = [Program(name, command, dict(os.environ), Path.cwd(), stage) for name, command, stage in programs]
    house = supervisor.Supervisor([name for name, *_ in programs])
    with house.hearing():
        for toy in toys:
            house.add(toy)
        house.run(lambda: True)


if __name__ == "__main__":
    main(*map(json.loads, sys.argv[1:]))
