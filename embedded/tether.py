"""Runs a command that ends with its parent: `python -IS tether.py PARENT_PID SIGNAL COMMAND…`, imports nothing of ours.

On Linux the kernel sends SIGNAL (a number) to the command when the thread that started it is gone, even after kill -9.
Elsewhere the command simply runs.
"""

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Tie this process to its parent, then become the command."""
    parent, number, command = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
        if os.getppid() != parent:  # it died before the tie was made
            sys.exit(1)
    os.execvp(command[0], command)  # noqa: S606 - the command comes from our own launcher


if __name__ == "__main__":
    main()
