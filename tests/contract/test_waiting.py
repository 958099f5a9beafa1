"""Waiting for long calls in a thread: what they give and raise comes through, and Ctrl-C ends the wait."""

import contextvars
import signal
import threading

import pytest

from pairsweep.contract.waiting import interruptible, interruptibly

SEEN = contextvars.ContextVar("SEEN", default="")


def test_answers_and_errors_come_through():
    assert interruptibly(lambda: 7) == 7

    def fails():
        raise LookupError("no such point")

    with pytest.raises(LookupError, match="no such point"):
        interruptibly(fails)


def test_a_function_stays_what_it_is_called_with():
    @interruptible
    def shares(total, *, parts=2):
        """Equal ones."""
        return [total / parts] * parts

    assert shares(6, parts=3) == [2, 2, 2]
    assert shares.__doc__ == "Equal ones."


def test_the_call_sees_what_its_caller_has_set():
    token = SEEN.set("mine")
    try:
        assert interruptibly(SEEN.get) == "mine"
    finally:
        SEEN.reset(token)


def test_within_another_thread_nothing_is_started():
    found = []

    def work():
        found.append(interruptibly(threading.current_thread))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [thread]


def test_an_interrupt_does_not_wait_for_the_end_of_the_call():
    """The call ends only after the interrupt was answered, since that is what it waits for."""
    answered, ended = threading.Event(), threading.Event()

    def deaf():
        main = threading.main_thread().ident
        assert main is not None
        signal.pthread_kill(main, signal.SIGINT)
        answered.wait()
        ended.set()

    with pytest.raises(KeyboardInterrupt):
        interruptibly(deaf)
    assert not ended.is_set()
    answered.set()
    assert ended.wait(60)
