"""Blocks of a sweep on the cores of this machine or of a cluster: the only user of distributed."""

from pairsweep.execute.cluster import Tls
from pairsweep.execute.pool import Pool
from pairsweep.execute.run import check_scheduler, execute
from pairsweep.execute.site import Site
from pairsweep.execute.task import Ack, Echo, ExecuteError, Task, unheard

__all__ = [
    "Ack",
    "Echo",
    "ExecuteError",
    "Pool",
    "Site",
    "Task",
    "Tls",
    "check_scheduler",
    "execute",
    "unheard",
]
