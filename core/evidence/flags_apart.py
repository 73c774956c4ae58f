"""Tells what looks wrong in the records of one experiment, as a program of its own.

``python -P -m core.evidence.flags_apart RUN_FOLDER EXPERIMENT`` prints a JSON array of flags. Reading
records and comparing splits row by row keeps a process busy for seconds; whoever has to answer keys
meanwhile has it done here.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from core.errors import FumehoodError
from core.evidence.gather import own_ledger
from core.record.folder import RunFolder


def main(path: Path, experiment_id: str) -> int:
    """Print the flags of an experiment.

    Args:
        path: the run's folder.
        experiment_id: one of its experiments.

    Returns:
        0; 1 where they cannot be told.
    """
    folder = RunFolder(path)
    try:
        state = folder.state()
        if experiment_id not in state.experiments:
            return 1
        with folder.journal() as journal:
            flags = own_ledger(journal, state, experiment_id).flags
    except FumehoodError:
        return 1
    print(json.dumps([asdict(flag) for flag in flags]))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
