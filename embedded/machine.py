"""What this machine can give: memory (a container's limit counts) and disk."""

import contextlib
import os
import shutil
from pathlib import Path

_CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
MEBIBYTE = 1 << 20


def total_memory() -> int:
    """Bytes of memory this process may count on: the machine's, or its container's limit when that is less."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for limit in _CGROUP_LIMITS:
        with contextlib.suppress(OSError, ValueError):  # "max" is no number
            total = min(total, int(Path(limit).read_text(encoding="ascii")))
    return total


def available_memory() -> int:
    """Bytes that can be taken without swapping; the total where the system does not tell."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return min(int(line.split()[1]) * 1024, total_memory())
    return total_memory()


def free_disk(folder: Path) -> int:
    """Bytes free on the disk that holds `folder` or its nearest existing parent."""
    place = folder.absolute()
    while not place.exists():
        place = place.parent
    return shutil.disk_usage(place).free
