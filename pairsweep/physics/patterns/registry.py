"""Every named pattern: a line here and its file are all that one needs."""

from __future__ import annotations

from pairsweep.physics.patterns import energy_band, fermi_dirac, fermi_surface, moments, quadrant
from pairsweep.physics.patterns.base import Pattern

PATTERNS: dict[str, Pattern] = {
    pattern.name: pattern
    for pattern in (
        quadrant.PATTERN,
        energy_band.PATTERN,
        fermi_dirac.PATTERN,
        fermi_surface.PATTERN,
        moments.PATTERN,
    )
}
