"""The services of a compose file, started and stopped by whichever Compose this machine has."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from workflow_store.errors import ComposeError
from workflow_store.schema.child import last_words, outlived
from workflow_store.settings import Settings

_PAUSE: Final = 0.5
# The one that has the command line in it, see deploy/compose.yaml.
_APPLICATION: Final = "app"


@dataclass(frozen=True, slots=True)
class Composed:
    """The services of one compose file, with the profiles that the settings name.

    Attributes:
        program: the command that Compose is.
        file: the compose file; an ``.env`` beside it is read by Compose itself.
        profiles: whose services belong to it, beside those of no profile.
    """

    program: tuple[str, ...]
    file: Path
    profiles: tuple[str, ...]

    @classmethod
    async def of(cls, settings: Settings) -> Composed | None:
        """Those of the settings; None where these name no compose file.

        Raises:
            ComposeError: the file is not there, or no Compose.
        """
        if settings.compose_file is None:
            return None
        file = settings.compose_file.expanduser().absolute()
        if not file.is_file():
            raise ComposeError(f"there is no compose file {file}")
        return cls(await _program(), file, settings.compose_profiles or ())

    async def running(self) -> tuple[str, ...]:
        """Names of the services that run, sorted.

        Raises:
            ComposeError: Compose or Docker does not answer as it should.
        """
        return _running(await self._containers())

    async def start(self, timeout: float) -> tuple[str, ...]:
        """Start them, and wait until all that have a health check are healthy; the names of those that run.

        Args:
            timeout: seconds, for the images to be there and the services to be healthy.

        Raises:
            ComposeError: it failed, or took longer; what was started is left for its log to be read.
        """
        waiting = ["images"]
        try:
            async with asyncio.timeout(timeout):
                await self._compose("up", "--detach")
                while True:
                    containers = await self._containers()
                    waiting = [_service(one) for one in containers if not _is_ready(one["State"])]
                    if not waiting:
                        return _running(containers)
                    await asyncio.sleep(_PAUSE)
        except TimeoutError:
            raise ComposeError(f"after {timeout:g} s these are not ready: {', '.join(waiting)}") from None

    async def stop(self, *, force: bool) -> None:
        """Stop them; containers and volumes stay.

        Args:
            force: by SIGKILL; else each gets as long as the file gives it.

        Raises:
            ComposeError: it failed.
        """
        await self._compose("kill" if force else "stop")

    async def back_up(self) -> str:
        """Make a backup where the services keep them; its name.

        Raises:
            ComposeError: it failed; the message has what was said.
        """
        said = await self._compose("run", "--rm", "-T", _APPLICATION, "backup", "create", "--json")
        return str(json.loads(said)["name"])

    async def _containers(self) -> list[dict[str, Any]]:
        identifiers = (await self._compose("ps", "--quiet")).split()
        if not identifiers:
            return []
        return list(json.loads(await self._run("docker", "inspect", *identifiers)))

    async def _compose(self, *arguments: str) -> str:
        chosen = [word for profile in self.profiles for word in ("--profile", profile)]
        return await self._run(*self.program, "--file", str(self.file), *chosen, *arguments)

    async def _run(self, *command: str) -> str:
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                cwd=self.file.parent,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            raise ComposeError(f"{command[0]} can't be run: {error.strerror}") from None
        async with outlived(process):
            output, complaint = await process.communicate()
        if process.returncode != 0:
            said = last_words(complaint.decode(errors="replace"))
            raise ComposeError(f"{Path(command[0]).name} ended with code {process.returncode}: {said}")
        return output.decode(errors="replace")


async def _program() -> tuple[str, ...]:
    """Docker's own Compose 2 where it is installed, else the one that is a program of its own."""
    docker, own = shutil.which("docker"), shutil.which("docker-compose")
    if docker is not None:
        asked = await asyncio.create_subprocess_exec(
            docker, "compose", "version", stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
        )
        if await asked.wait() == 0:
            return docker, "compose"
    if own is None:
        raise ComposeError("there is no `docker compose` and no docker-compose here")
    return (own,)


def _running(containers: Iterable[dict[str, Any]]) -> tuple[str, ...]:
    return tuple(sorted(_service(one) for one in containers if one["State"]["Running"]))


def _service(container: dict[str, Any]) -> str:
    return str(container["Config"]["Labels"]["com.docker.compose.service"])


def _is_ready(state: dict[str, Any]) -> bool:
    # One that has ended is not waited for: Docker starts again what has to run for good.
    health = state.get("Health", {"Status": "healthy"})["Status"]
    return not state["Running"] or (health == "healthy" and not state["Restarting"])
