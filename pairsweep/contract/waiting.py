"""Long calls into compiled code, waited for so that Ctrl-C is answered at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import copy_context
from functools import partial, wraps
from typing import ParamSpec, TypeVar

T = TypeVar("T")
Given = ParamSpec("Given")


def interruptibly(work: Callable[[], T]) -> T:
    """Do some work in a thread of its own while this one waits, and give what it returns or raises.

    A kernel is one call that Python cannot interrupt, while a wait can be. After Ctrl-C the call goes on in the
    background, at most to the end of the process, and what it would return is dropped.
    """
    if threading.current_thread() is not threading.main_thread():
        return work()  # signals are heard in the main thread alone
    answers: list[T] = []
    errors: list[BaseException] = []

    def attempt() -> None:
        try:
            answers.append(work())
        except BaseException as error:  # raised again by who waits
            errors.append(error)

    thread = threading.Thread(target=copy_context().run, args=(attempt,), name="pairsweep", daemon=True)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return answers[0]


def interruptible(function: Callable[Given, T]) -> Callable[Given, T]:
    """Make a function that is one long call into compiled code end at once by Ctrl-C; it may change nothing outside."""

    @wraps(function)
    def call(*args: Given.args, **kwargs: Given.kwargs) -> T:
        return interruptibly(partial(function, *args, **kwargs))

    return call
