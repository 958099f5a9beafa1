"""Whatever points take their process down, they and no others are buried."""

from hypothesis import given, settings
from hypothesis import strategies as st

from pairsweep.execute import Ack
from pairsweep.execute.blame import BLOCK_DEATHS, PARTS, POINT_DEATHS, Queue


class Graveyard:
    def __init__(self, size):
        self._size = size
        self.buried = []

    def size(self, block):
        return self._size

    def record_failure(self, block, point, reason):
        self.buried.append((block, point))
        return Ack(block, 0, 1, 0.0, "")


def deaths_and_done(size, poison, blocks=2):
    """Hand out every block; work on ``poison`` dies, the rest is done."""
    task, buried, done = Graveyard(size), [], []
    queue = Queue(task, range(blocks), buried.append)
    deaths = 0
    while (work := queue.next()) is not None:
        points = {(work.block, point) for point in work.only or range(size)}
        if points & poison:
            deaths += 1
            queue.died(work, "killed")
        else:
            done.extend(points)
    assert len(buried) == len(task.buried)
    return deaths, done, task.buried


@settings(max_examples=200)
@given(st.integers(1, 250), st.sets(st.tuples(st.integers(0, 1), st.integers(0, 249)), max_size=4))
def test_the_guilty_are_buried_and_the_innocent_done_once(size, poison):
    poison = {(block, point) for block, point in poison if point < size}
    _, done, buried = deaths_and_done(size, poison)
    assert sorted(buried) == sorted(poison)
    assert sorted([*done, *buried]) == [(block, point) for block in range(2) for point in range(size)]


def test_one_of_a_thousand_is_found_within_few_deaths():
    deaths, _, buried = deaths_and_done(PARTS**3, {(1, 613)})
    assert buried == [(1, 613)]
    assert deaths == BLOCK_DEATHS + 2 + POINT_DEATHS


def test_a_block_that_dies_once_is_done_whole():
    queue = Queue(Graveyard(10), [4], lambda ack: None)
    work = queue.next()
    queue.died(work, "an operator's kill")
    assert queue.next() == work
    assert queue.next() is None


def test_who_was_only_near_a_death_is_cleared():
    """As on dask: two at a time, and a death is charged to both."""
    buried, deadly = [], 3
    queue = Queue(Graveyard(4), [0], buried.append)
    done = set()
    while True:
        together = []
        while len(together) < 2 and (work := queue.next(alone=not together)) is not None:
            together.append(work)
        if not together:
            break
        dies = any(deadly in (work.only or range(4)) for work in together)
        for work in together:
            if dies:
                queue.died(work, "two workers died", deaths=2)
            else:
                done.update(work.only or range(4))
    assert done == {0, 1, 2}
    assert len(buried) == 1
