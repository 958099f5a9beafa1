"""Specifications that tests start from."""

GROWTH = """
title = "Test"
analyses = ["growth"]
[grid]
kind = "bins"
n_energy = 1
n_theta = 1
n_phi = 4
energy_max = 20.0
[occupation]
pattern = "quadrant"
rho_high = 0.9
rho_low = 0.1
[coupling]
g = 1e-6
"""

BEAMS = """
analyses = ["growth"]
[grid]
kind = "beams"
[[grid.beams]]
name = "x"
direction = "x"
energy = 1.0
weight = 1.0
rho = 1.0
rhobar = 0.3
[[grid.beams]]
name = "z"
theta = 0.0
phi = 0.0
energy = 1.0
weight = 1.0
rho = 0.1
[coupling]
g = 1e-3
"""


def growth(**changes):
    """``GROWTH`` with keys replaced: growth(n_energy="[1, 2]")."""
    return changed(GROWTH, **changes)


def changed(text, **changes):
    lines = text.splitlines()
    for key, value in changes.items():
        (number,) = (i for i, line in enumerate(lines) if line.split(" = ")[0] == key)
        lines[number] = f"{key} = {value}"
    return "\n".join(lines)
