"""Where a sweep runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pairsweep.execute import Site, Tls
from pairsweep.spec.model import Spec


@dataclass(frozen=True)
class Where:
    """Where a sweep runs.

    Attributes
    ----------
    scheduler : str
        "local" (worker processes; in this process where they would not pay), "threads", "serial", "dask" (a local
        cluster with dask's dashboard), the address of a dask scheduler, or a batch system such as "slurm".
    workers : int, optional
        Number of local workers; one per core where left out.
    cluster : path, optional
        TOML file of the site with a ``[cluster]`` table; that of the specification where left out.
    tls : Tls, optional
        Certificates for connections that leave this machine; dask's own configuration where left out.
    insecure : bool
        Talk to a scheduler on another machine without TLS all the same.
    """

    scheduler: str = "local"
    workers: int | None = None
    cluster: str | Path | None = None
    tls: Tls | None = None
    insecure: bool = False

    def site(self, spec: Spec) -> Site:
        """Give what the jobs of a batch system are like."""
        return Site.from_table(spec.cluster) if self.cluster is None else Site.read(self.cluster)
