#!/usr/bin/env python3
"""A real SLURM on this machine alone, for tests: its own folder, its own munge, no service of the system used.

    one_machine.py [--nodes N] [--cpus N] COMMAND ...     run a command with SLURM_CONF set, then take SLURM down

Needs root, and Debian's packages slurm-wlm and munge. With --install it installs them, where they are missing, for the
whole system, and they stay.
"""

from __future__ import annotations

import argparse
import getpass
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

NEEDED = ("slurmctld", "slurmd", "munged", "sbatch", "sinfo")
PACKAGES = ("slurm-wlm", "munge")
PATIENCE = 120
INSTALL_PATIENCE = 300


class SlurmError(Exception):
    """SLURM cannot be had or does not start here, and why."""


def check(install: bool) -> None:
    """See to it that SLURM is here, with its packages installed on demand; raise `SlurmError` if it is not."""
    if os.geteuid() != 0:
        raise SlurmError("SLURM's daemons need root")
    if install and _absent() and (reason := _from_packages()):
        raise SlurmError(reason)
    if absent := _absent():
        raise SlurmError(f"{', '.join(absent)} missing: apt-get install {' '.join(PACKAGES)}")


def _absent() -> list[str]:
    return [name for name in NEEDED if shutil.which(name, path=_path()) is None]


def _from_packages() -> str:
    """Install the packages; return why that did not work."""
    if shutil.which("apt-get") is None:
        return f"no apt-get to install {' and '.join(PACKAGES)} with"
    print(f"Installing the Debian packages {' and '.join(PACKAGES)} ...", file=sys.stderr)
    options = ("-y", "-qq", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120")
    for command in (("apt-get", "update", "-qq"), ("apt-get", "install", *options, *PACKAGES)):
        try:
            subprocess.run(
                command,
                env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=True,
                timeout=INSTALL_PATIENCE,
            )
        except subprocess.CalledProcessError as error:
            return f"{' '.join(command[:2])} failed: {(error.stderr.strip() or error.stdout.strip())[-200:]}"
        except subprocess.TimeoutExpired:
            return f"{' '.join(command[:2])} took more than {INSTALL_PATIENCE} s"
    return ""


def _path() -> str:
    return os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])


def _version() -> int:
    said = subprocess.run(["slurmd", "-V"], env={"PATH": _path()}, capture_output=True, text=True, check=True)
    return int(said.stdout.split()[-1].split(".")[0])


def _ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


@contextmanager
def slurm(cpus: int, nodes: int = 1) -> Iterator[dict[str, str]]:
    """Run SLURM with ``nodes`` nodes of ``cpus`` each; give the environment its commands need.

    Raises `SlurmError` if its daemons end or its nodes are not idle in time.
    """
    folder = Path(tempfile.mkdtemp(prefix="slurm-"))
    folder.chmod(0o755)  # munge wants no place that others can write
    host, user = socket.gethostname(), getpass.getuser()
    controller, *ports = _ports(1 + nodes)
    names = [f"node{number}" for number in range(nodes)]
    key = folder / "munge.key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o400)
    config = folder / "slurm.conf"
    config.write_text(
        f"""ClusterName=pairsweep
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.sock
CryptoType=crypto/munge
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SlurmdParameters=config_overrides
ReturnToService=2
"""
        + "".join(
            f"NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs={cpus} RealMemory=1000\n"
            for name, port in zip(names, ports, strict=True)
        )
        + "PartitionName=debug Nodes=ALL Default=YES MaxTime=INFINITE State=UP\n"
    )
    if _version() >= 24:  # older ones want none and do not know the word
        # A container has no control groups that slurmd could make its own in.
        (folder / "cgroup.conf").write_text("CgroupPlugin=disabled\n")
    (folder / "state").mkdir()
    environment = os.environ | {"SLURM_CONF": str(config), "PATH": _path()}
    munged = [
        "munged",
        "--foreground",
        "--force",
        f"--socket={folder}/munge.sock",
        f"--key-file={key}",
        f"--pid-file={folder}/munged.pid",
        f"--log-file={folder}/munged.log",
        f"--seed-file={folder}/munge.seed",
    ]
    daemons = [munged, ["slurmctld", "-D", "-f", str(config)]]
    daemons += [["slurmd", "-D", "-f", str(config), "-N", name] for name in names]
    running: list[subprocess.Popen[bytes]] = []
    try:
        for number, command in enumerate(daemons):
            with (folder / f"{command[0]}-{number}.out").open("wb") as out:
                running.append(subprocess.Popen(command, env=environment, stdout=out, stderr=out))
            time.sleep(0.5)
        end = time.monotonic() + PATIENCE
        while _states(environment) != ["idle"] * nodes:
            if time.monotonic() > end or any(process.poll() is not None for process in running):
                logs = "\n".join(f"{p.name}: {p.read_text()[-500:]}" for p in sorted(folder.glob("*.out")))
                raise SlurmError(f"SLURM did not start:\n{logs}")
            time.sleep(0.3)
        yield environment
    finally:
        for process in reversed(running):
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _states(environment: dict[str, str]) -> list[str]:
    command = ["sinfo", "--noheader", "--Node", "--format=%T"]
    listed = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return listed.stdout.split()


def main() -> int:
    """Run a command under SLURM."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--nodes", type=int, default=1, metavar="N")
    parser.add_argument("--cpus", type=int, default=2, metavar="N", help="of each node")
    parser.add_argument("--install", action="store_true", help="Debian's packages, where they are missing")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    if not options.command:
        parser.error("name a command to run")
    try:
        check(options.install)
        with slurm(options.cpus, options.nodes) as environment:
            return subprocess.call(options.command, env=environment)
    except SlurmError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    sys.exit(main())
