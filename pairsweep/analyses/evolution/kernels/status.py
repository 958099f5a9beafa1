"""How the run of a point ended, and the text that says so."""

from enum import IntEnum


class Status(IntEnum):
    """End of the run of a point."""

    OK = 0
    BAD_INPUT = 1
    NOT_FINITE = 2
    STEP_TOO_LONG = 3
    TOO_MANY_STEPS = 4
    TOO_LONG = 5
    NOT_SMALL = 6
    NOT_TURNING = 7
    NEAR_RESONANCE = 8
    PHASE_LOST = 9
    TOLERANCE_MISSED = 10
    DRIFTED = 11

    @property
    def text(self) -> str:
        """What is wrong and what to change; what it names of the point stands in braces."""
        return _TEXTS[self]


_TEXTS = {
    Status.OK: "done",
    Status.BAD_INPUT: "{what}",
    Status.NOT_FINITE: "the state is no longer finite: check weights, energies, coupling and the initial kappa",
    Status.STEP_TOO_LONG: "splitting: the spins turn further in a step than its polynomials reach: ask for a smaller "
    "tolerance",
    Status.TOO_MANY_STEPS: "averaged: {steps} steps do not reach the end of the run at tolerance = {tolerance:g}: give "
    "a larger one, or shorten the run",
    Status.TOO_LONG: "splitting: 2 E t = {phase:.1e} takes more than {most:.1g} steps, the most at tolerance = "
    '{tolerance:g}: give a larger one, shorten the run to t_end = {longest:.1e}, or use method = "averaged" where '
    "g w is small against E",
    Status.NOT_SMALL: "averaged: g w is not small against E and the energy differences, ratio {ratio:.2g} "
    '(at most {most}): use method = "splitting"',
    Status.NOT_TURNING: "averaged: a pair with E = 0 does not turn, nothing to average: "
    'use method = "splitting"',
    Status.NEAR_RESONANCE: "averaged: E_a + E_b is close to E_c for three energies, ratio {ratio:.2g} "
    '(at most {most}): make them equal or use method = "splitting"',
    Status.PHASE_LOST: "averaged: 2 E t exceeds the {phase:.1e} that double precision resolves: shorten the run to "
    "t_end = {longest:.1e}",
    Status.TOLERANCE_MISSED: "tolerance = {tolerance:g} missed by {method}, error about {error:.1e} with {steps} "
    "steps: {enough}shorten the run or take another method",
    Status.DRIFTED: "{drift} = {value:.1e} above {limit:.1e}: {cure}",
}
