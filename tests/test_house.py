"""The rules of the house that no import linter can see."""

import ast
from pathlib import Path

import pairsweep
from pairsweep.analyses.registry import ANALYSES

PACKAGE = Path(pairsweep.__file__).parent
# `reproduce` may ask for what it needs; the package's own names are what a user calls.
FREE = ("analyses/registry.py", "reproduce/", "__init__.py")


def sources():
    return sorted(PACKAGE.rglob("*.py"))


def test_an_analysis_is_a_word_of_its_own_folder_alone():
    strangers = []
    for file in sources():
        path, text = file.relative_to(PACKAGE).as_posix(), file.read_text()
        named = [name for name in ANALYSES if name in text and not path.startswith(f"analyses/{name}/")]
        if named and not path.startswith(FREE[:2]) and path not in FREE:
            strings = {node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant)}
            strangers += [(path, name) for name in named if name in strings]
    assert strangers == []


def test_no_folder_holds_more_kernels_than_one_reads():
    for folder in {path.parent for path in sources() if "kernels" in path.parts}:
        files = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
        assert len(files) <= 13, folder


def test_no_kernel_has_more_than_ten_arguments():
    long = [
        f"{path.relative_to(PACKAGE)}:{node.name}"
        for path in sources()
        if "kernels" in path.parts
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef)
        and len(node.args.posonlyargs + node.args.args + node.args.kwonlyargs) > 10
    ]
    assert long == []


def test_every_analysis_declares_units_and_meanings():
    for analysis in ANALYSES.values():
        assert analysis.meaning
        assert all(field.meaning for field in analysis.fields)
        assert all(variable.meaning for variable in analysis.variables)
        names = [variable.name for variable in analysis.variables]
        assert len(set(names)) == len(names)
