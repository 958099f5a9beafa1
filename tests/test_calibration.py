import os
import signal

import numpy as np
import pytest

import pairsweep as ps
from pairsweep.calibration import SECONDS_UNKNOWN, measured_seconds
from pairsweep.expand import expand
from pairsweep.runner import Where, run_to_store
from pairsweep.spec import parse_spec, read_spec
from tests.specs import GROWTH, growth


@pytest.fixture
def deadly(tmp_path):
    """Specifications of a function that takes its process down at some widths."""

    def make(condition, widths):
        (tmp_path / "deadly.py").write_text(
            "import os, signal\n\n\ndef f(energy, theta, phi, width):\n"
            f"    if {condition}:\n        os.kill(os.getpid(), signal.SIGSEGV)\n"
            "    return 0.5 + 0 * phi, width + 0 * phi\n"
        )
        text = (
            GROWTH.split("[occupation]")[0] + '[occupation]\npattern = "custom"\nfunction = "deadly.py:f"\n'
        )
        path = tmp_path / "spec.toml"
        path.write_text(text + f"width = {widths}\n[coupling]\ng = 1e-6\n")
        return read_spec(path)

    return make


def test_a_function_that_kills_every_process_leaves_this_one_alone(deadly):
    assert measured_seconds(expand(deadly("True", [0.1, 0.2]))) == {4: SECONDS_UNKNOWN}


def test_the_deadly_point_of_a_function_is_named_and_the_others_are_done(deadly, tmp_path):
    widths = [round(0.05 * i, 2) for i in range(20)]
    outcome = run_to_store(deadly("width == 0.6", widths), tmp_path / "s.zarr", Where(workers=1), quiet=True)
    assert (outcome.points, outcome.failed) == (20, 1)
    (failure,) = ps.errors(tmp_path / "s.zarr")
    assert failure.at == {"width": 0.6}
    assert signal.SIGSEGV.name in failure.reason


def test_a_function_for_debugging_stays_in_this_process(deadly):
    spec = deadly(f"os.getpid() != {os.getpid()}", [0.1])
    assert measured_seconds(expand(spec), apart=False)[4] > 0


def test_larger_systems_cost_more():
    found = measured_seconds(expand(parse_spec(growth(n_energy="[1, 8, 64, 512]"))))
    assert list(found) == [4, 32, 256, 2048]
    assert np.all(np.diff([found[n] for n in (4, 256, 2048)]) > 0)
