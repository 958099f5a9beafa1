from __future__ import annotations

import pytest

from pairsweep.contract.errors import UsageError
from pairsweep.contract.ranges import interval
from pairsweep.drawing.options import read_flags


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("0.1..0.5", (0.1, 0.5)),
        ("1e-7:1e-6", (1e-7, 1e-6)),
        ("0.1..", (0.1, float("inf"))),
        (":-3", (-float("inf"), -3.0)),
        ("0.5", None),
        ("..", None),
        ("2..1", None),
        ("a..b", None),
    ],
)
def test_ranges(text, ends):
    assert interval(text) == ends


@pytest.mark.parametrize(
    ("given", "keywords"),
    [
        ({"log": ["x", "c"]}, {"xscale": "log", "norm": "log"}),
        ({"range": ["x=1..2,c=1e-3..", "y=..5"]}, {"xlim": (1.0, 2.0), "vmin": 1e-3, "ylim": (None, 5.0)}),
        (
            {"label": ["g=a,x=time, fast", "rho_low=$b$"]},
            {"labels": {"g": "a", "rho_low": "$b$"}, "xlabel": "time, fast"},
        ),
        ({"size": ["3.4"], "dpi": ["300"]}, {"figsize": (3.4, None), "dpi": 300.0}),
        ({"size": ["3.4x2.6"], "title": ["T"]}, {"figsize": (3.4, 2.6), "title": "T"}),
        ({}, {}),
    ],
)
def test_flags_become_keywords(given, keywords):
    assert read_flags(given) == keywords


@pytest.mark.parametrize(
    ("flag", "text"),
    [
        ("size", "0"),
        ("size", "1,2,3"),
        ("dpi", "much"),
        ("dpi", "1e9"),
        ("log", "z"),
        ("range", "x=3"),
        ("label", "g"),
    ],
)
def test_flags_that_mean_nothing_are_refused(flag, text):
    with pytest.raises(UsageError, match=f"--{flag}"):
        read_flags({flag: [text]})
