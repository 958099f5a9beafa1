"""An address holds the whole view."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairsweep.viewer.link import DIRECTIONS, SCALES, Look, from_query

names = st.text("abcxyz_09 =&%é", min_size=1, max_size=8)
labels = st.dictionaries(names, names, max_size=3)
numbers = st.floats(-1e9, 1e9)


@given(
    st.builds(
        Look,
        variable=names,
        x=names,
        y=names,
        at=labels,
        point=labels,
        colours=st.sampled_from(SCALES),
        x_scale=st.sampled_from(SCALES),
        y_scale=st.sampled_from(SCALES),
        k_along=st.sampled_from(sorted(DIRECTIONS)),
        frame=st.none()
        | st.tuples(numbers, numbers, numbers, numbers).filter(lambda f: f[0] < f[1] and f[2] < f[3]),
    )
)
def test_an_address_brings_a_look_back(look):
    assert from_query(look.query) == look


@pytest.mark.parametrize(
    "frame", ["", "1", "1,2,3", "1,2,3,4,5", "2,1,3,4", "a,b,c,d", "nan,1,0,1", "0,inf,0,1"]
)
def test_frames_that_are_none_are_left_out(frame):
    assert from_query(f"frame={frame}").frame is None


def test_what_is_unknown_is_left_out():
    assert from_query("colours=pink&other=1&x=g") == Look(x="g")
