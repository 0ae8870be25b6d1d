"""What was measured on: a figure without it says little."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

from benchmarks.server import Server, connect
from benchmarks.statements import text


async def describe(server: Server) -> dict[str, Any]:
    """Machine, Python and server, as JSON can hold it."""
    connection = await connect(server.dsn)
    try:
        settings = dict(await connection.fetchrow(text("server")) or {})
    finally:
        await connection.close()
    return {
        "cores": os.cpu_count(),
        "memory_gb": memory_gb(),
        "load_average": [round(load, 2) for load in os.getloadavg()],
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "postgresql": settings.pop("version", None),
        "server": server.kind,
        "settings": settings,
    }


def memory_gb() -> float | None:
    """Main memory in GB, or None where the system does not say."""
    try:
        return round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9, 1)
    except (ValueError, OSError, AttributeError):
        return None


def in_words(machine: dict[str, Any]) -> str:
    """One paragraph about the machine."""
    settings = ", ".join(f"{name} {value}" for name, value in machine["settings"].items())
    load = ", ".join(f"{value:g}" for value in machine["load_average"])
    return (
        f"PostgreSQL {machine['postgresql']} ({machine['server']}), Python {machine['python']}, {machine['system']}, "
        f"{machine['cores']} cores shared by client and server, {machine['memory_gb']} GB; load at the start {load}. "
        f"Settings: {settings}."
    )


def processor_seconds(process: int) -> float | None:
    """Seconds that a process's main thread has had a processor, to the nanosecond, where the system says it."""
    try:
        return int(Path(f"/proc/{process}/schedstat").read_text(encoding="ascii").split()[0]) / 1e9
    except (OSError, ValueError, IndexError):
        return None


def peak_memory_mb() -> float | None:
    """The most memory this process ever held, in MB, where the system says it."""
    status = Path("/proc/self/status")
    if not status.is_file():
        return None
    for line in status.read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return round(int(line.split()[1]) / 1024, 1)
    return None
