"""Where a curve grows exponentially: plain Python, compiled by ``curves`` for runs, and as it stands for pictures."""

import numpy as np

# The last LINEAR_EFOLDS e-folds below this fraction of the first maximum, where a sech-like rise has lost 1 % of its
# slope; never what is not yet QUIETER times above the beat of the start.
LINEAR_END = 0.15
LINEAR_EFOLDS = 3.0
QUIETER = 2.0


def linear_phase(values, top, quiet):
    """Return (start, stop): the linear phase of the rise to index ``top`` is values[start:stop], if it is any.

    ``quiet``: size of what does not grow, such as the beat about a forced response; 0 where there is none.
    """
    stop = top
    while stop > 0 and values[stop - 1] > LINEAR_END * values[top]:
        stop -= 1
    start = stop - 1
    while (
        start > 0
        and values[start] > QUIETER * quiet
        and values[start] * np.exp(LINEAR_EFOLDS) > values[stop - 1]
    ):
        start -= 1
    return start, stop
