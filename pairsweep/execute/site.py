"""What a user says about a cluster: the ``[cluster]`` table of a spec or of a file of the site's own."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from pairsweep.execute.task import ExecuteError

KINDS = {
    "slurm": "SLURMCluster",
    "pbs": "PBSCluster",
    "sge": "SGECluster",
    "lsf": "LSFCluster",
    "oar": "OARCluster",
    "moab": "MoabCluster",
}
_LEAST_WALLTIME = 120


@dataclass(frozen=True)
class Site:
    """Jobs of a batch system.

    Attributes
    ----------
    cores, memory : of one job; every core runs one worker process
    jobs, least_jobs : most and fewest jobs; submitted as there is work for more, and kept to the end
    walltime : hours:minutes:seconds of a job; workers leave before they are killed
    queue, account : as the site calls them
    interface : network interface of the workers, "lo" to stay on one machine
    lines : further directives of the job script, without the leading #SBATCH or the like
    skip : directives that the site does not accept, such as "--mem"
    prologue : shell lines before the workers start, such as "module load python"
    """

    cores: int = 1
    memory: str = "4GB"
    jobs: int = 1
    least_jobs: int = 0
    walltime: str = "01:00:00"
    queue: str | None = None
    account: str | None = None
    interface: str | None = None
    lines: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    prologue: tuple[str, ...] = ()

    @classmethod
    def read(cls, path: str | Path) -> Site:
        """Read a TOML file with a ``[cluster]`` table."""
        try:
            table = tomllib.loads(Path(path).read_text())["cluster"]
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ExecuteError("--cluster", str(path), f"name a readable TOML file ({error})") from error
        except KeyError:
            raise ExecuteError("--cluster", str(path), "give it a table [cluster]") from None
        return cls.from_table(table)

    @classmethod
    def from_table(cls, table: Mapping[str, object]) -> Site:
        """Check a ``[cluster]`` table."""
        known = {field.name: field.default for field in fields(cls)}
        values: dict[str, object] = {}
        for name, value in table.items():
            if name not in known:
                raise ExecuteError("[cluster]", name, f"the keys are {', '.join(known)}")
            if isinstance(known[name], tuple):
                if not isinstance(value, list | tuple) or not all(isinstance(v, str) for v in value):
                    raise ExecuteError(f"[cluster] {name}", value, "give a list of lines")
                value = tuple(value)
            elif isinstance(known[name], int):
                if not isinstance(value, int) or isinstance(value, bool) or value < (name != "least_jobs"):
                    raise ExecuteError(f"[cluster] {name}", value, "give a positive whole number")
            elif not isinstance(value, str) or not value.isprintable():
                raise ExecuteError(f"[cluster] {name}", value, "give a text on one line")
            elif name == "memory" and not _is_size(value):
                raise ExecuteError("[cluster] memory", value, 'give a size such as "4GB"')
            values[name] = value
        site = cls(**values)  # type: ignore[arg-type]
        if site.seconds < _LEAST_WALLTIME:
            raise ExecuteError(
                "[cluster] walltime", site.walltime, f"give at least {_LEAST_WALLTIME} seconds"
            )
        return site

    @property
    def seconds(self) -> int:
        """Walltime in seconds."""
        parts = re.fullmatch(r"(?:(\d+)-)?(\d+):(\d\d)(?::(\d\d))?", self.walltime)
        if parts is None:
            raise ExecuteError("[cluster] walltime", self.walltime, "give hours:minutes:seconds")
        days, hours, minutes, seconds = (int(part or 0) for part in parts.groups())
        return ((days * 24 + hours) * 60 + minutes) * 60 + seconds

    @property
    def lifetime(self) -> tuple[int, int]:
        """Seconds after which workers leave, and by how much they differ so that they do not leave together."""
        margin = min(max(60, self.seconds // 10), 600)
        return self.seconds - margin, margin // 2


def _is_size(text: str) -> bool:
    from dask.utils import parse_bytes

    try:
        return parse_bytes(text) > 0
    except (ValueError, OverflowError):
        return False
