"""The reference pages in the tree against the code they are made from."""

import pytest

from tests.test_docs import GENERATED, reference

CURE = "is not what the code says: python docs/reference.py"


@pytest.mark.parametrize("name", sorted(GENERATED))
def test_the_page_in_the_tree_is_fresh(name):
    assert (reference.FOLDER / name).read_text("utf-8") == GENERATED[name], f"docs/reference/{name} {CURE}"


def test_there_is_no_page_that_nothing_makes():
    assert {path.name for path in reference.FOLDER.iterdir()} == set(GENERATED)


def test_usage_is_the_same_whatever_argparse_says(monkeypatch):
    """A page made by one Python must be fresh for the next: no text of argparse or inspect stands in it."""
    monkeypatch.setattr("argparse.ArgumentParser.format_usage", lambda self: "another usage")
    monkeypatch.setattr("inspect.Signature.__str__", lambda self: "another signature")
    monkeypatch.setattr("inspect.Parameter.__str__", lambda self: "another parameter")
    assert reference.pages() == GENERATED
