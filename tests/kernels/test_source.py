import ast
import hashlib
import json
import subprocess
import sys

import pytest

from pairsweep.kernels import source

SAMPLE = r'''
"""Documentation."""
from __future__ import annotations
import os.path as path, sys
from . import sibling
from ..above import one as first, two

__version__: str = "1"; number: int
CONSTANTS = (1, -2.5e-300, 3j, True, None, ..., b"\x00\xff", u"gr\u00f6\u00dfer", "\ud800", 10**3, 0x1F, 1_000)
LONG = 123456789012345678901234567890

@decorated(1, *more, key=2, **rest)
class Thing(Base, metaclass=Meta):
    "Documented."
    __slots__ = ("a",)

    @property
    def a(self, /, b: int = 1, *args: float, c, d=None, **kwargs) -> "list[int]":
        """Documented too."""
        global x
        nonlocal_ = lambda *a, k=1: (yield)
        x: int = b if c else d
        x += 1; x @= 2; x //= 3; x **= 4
        del x, self.a, self[0]
        return [*args, {**kwargs, "a": 1}, {1, 2}, x[1:2, ::3, ...], not x, ~x, x and b or c]

async def work(source):
    async with a as b, c as (d, *e):
        async for i in source:
            await i
        else:
            pass
    return [j async for i in source if i for j in i], {k: v for k, v in i}, {s for s in i}, (g for g in i)

def inner():
    y = 1
    def deeper():
        nonlocal y
        yield from y
    try:
        assert 0 < y <= 2 != 3, "text"
        raise ValueError(f"a{y!r:>{y}}b" "c" f"{y:}{y=}") from None
    except (ValueError, TypeError) as error:
        raise
    except Exception:
        while (n := y) is not None and y not in n:
            break
        else:
            y = y << 1 >> 2 | 3 & 4 ^ 5
    else:
        for i, (j, k) in n: continue
    finally:
        y %= 2
    try: ...
    except* OSError: ...

def match_it(x):
    match x:
        case None | True: pass
        case 1 | -2.5 | "s" | Color.RED: pass
        case [a, *_, b] if a > b: pass
        case {"k": v, **rest}: pass
        case Point(0, y=[]) as p: pass
        case _: pass
'''

DIGEST = "9f638df4c1abdebd"


def test_the_digest_of_a_sample_is_the_same_under_every_python_that_runs_this():
    # when this has to change, so has the form of the memory: source._Memory.FORM
    assert source.syntax_digest(SAMPLE) == DIGEST
    assert source._Memory.FORM == 1


def test_comments_docstrings_and_layout_say_nothing():
    plain = 'x = "a"\ndef f(a, b):\n    return a + b\nclass C:\n    pass\n'
    other = (
        '"""Doc."""\n\n# comment\nx = (\n  \'a\'  # more\n)\n\ndef f(a,  b):\n\t"Doc."\n\treturn (a + b)\n'
        "class C:  # type: ignore\n    pass"
    )
    assert source.syntax_digest(plain) == source.syntax_digest(other)
    assert source.syntax_digest(plain.replace("\n", "\r\n").encode()) == source.syntax_digest(plain)
    assert source.syntax_digest(b"# coding: latin-1\nx = '\xe4'") == source.syntax_digest("x = 'ä'")


PAIRS = [
    ("x = 1", "x = 2"),
    ("x = 1", "x = 1.0"),
    ("x = 1", "x = True"),
    ("x = 0.0", "x = -0.0"),
    ("x = 'a'", "x = b'a'"),
    ("x = None", "x = ..."),
    ("f(a)", "f(a, b)"),
    ("f(a, b)", "f(a)(b)"),
    ("f(*a)", "f(**a)"),
    ("{a: b, **c}", "{a: b}"),
    ("def f(*, a, b=1): pass", "def f(*, a=1, b): pass"),
    ("def f(a, b=1): pass", "def f(a=1, b=1): pass"),
    ("def f(a, /): pass", "def f(a): pass"),
    ("[a, [b]]", "[a, b]"),
    ("[[a], b]", "[[a, b]]"),
    ("a - b - c", "a - (b - c)"),
    ("x[1:]", "x[:1]"),
    ("x[:1:]", "x[::1]"),
    ("from a import b", "from .a import b"),
    ("from a import b", "from a import b as c"),
    ("if a:\n  b\n  c", "if a:\n  b\nc"),
    ("if a: b\nelse: c", "if a: c\nelse: b"),
    ("match x:\n  case None: pass", "match x:\n  case True: pass"),
    ("match x:\n  case _: pass", "match x:\n  case a: pass"),
    ("f'{a}b'", "f'{a}c'"),
    ("f'{a!r}'", "f'{a}'"),
    ("f'{a:1}'", "f'{a}'"),
    ("x = 'doc'", "'doc'"),
    ("x = 1\n'not documentation'", "x = 1"),
    ("async def f(): pass", "def f(): pass"),
    ("[a async for a in b]", "[a for a in b]"),
    ("x: int", "(x): int"),
]


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_what_differs_in_meaning_differs(one, other):
    one, other = (f"async def g():\n  {text.replace(chr(10), chr(10) + '  ')}\n" for text in (one, other))
    assert source.syntax_digest(one) != source.syntax_digest(other)


def test_pieces_of_an_f_string_may_come_in_any_cut():
    tree = ast.parse("f'ab{x:cd}'")
    joined = tree.body[0].value
    joined.values[:1] = [ast.Constant("a"), ast.Constant(""), ast.Constant("b")]
    joined.values.append(ast.Constant(""))
    assert source._digest(source._tokens(tree)) == source.syntax_digest("f'ab{x:cd}'")


def test_a_field_that_a_later_python_adds_changes_nothing_where_it_is_empty():
    class Import(ast.Import):
        _fields = ("names", "is_lazy", "more")

    tree = ast.parse("import a")
    tree.body = [Import(names=tree.body[0].names, is_lazy=0, more=[])]
    assert source._digest(source._tokens(tree)) == source.syntax_digest("import a")


def test_a_sum_deeper_than_pythons_stack_is_digested():
    assert source.syntax_digest("x = 1" + " + 1" * 1500) != source.syntax_digest("x = 1" + " + 1" * 1501)


FILES = {
    "user.py": "import numpy\nimport helper\nfrom package.part import name\n",
    "helper.py": "def f():\n    import late\n    from package import deep as d\n",
    "late.py": "",
    "unrelated.py": "",
    "package/__init__.py": "import unrelated",
    "package/part.py": "from .deep.thing import x\nif TYPE_CHECKING:\n  import never\n",
    "package/deep/__init__.py": "from . import sibling\nfrom ..aside import y\n",
    "package/deep/thing.py": "",
    "package/deep/sibling.py": "",
    "package/aside.py": "import late, user",
    "never.py": "",
}


@pytest.fixture
def folder(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    source._read.cache_clear()
    source._find.cache_clear()
    source.code_digest.cache_clear()
    return tmp_path


def test_the_closure_has_what_is_imported_at_any_depth(folder):
    assert source.closure("package.part", folder=folder) == ("package.deep.thing", "package.part")
    assert source.closure("package.deep", folder=folder) == (
        *("helper", "late", "package", "package.aside", "package.deep", "package.deep.sibling"),
        *("package.deep.thing", "package.part", "unrelated", "user"),
    )
    assert source.closure("package.deep", within=("package.deep", "package.as"), folder=folder) == (
        "package.deep",
        "package.deep.sibling",
    )
    assert source.closure("late", "never", folder=folder) == ("late", "never")
    with pytest.raises(ModuleNotFoundError, match=r"nothing\.here"):
        source.closure("nothing.here", folder=folder)


def digest_after(folder, name, text):
    (folder / name).write_text(text)
    source._read.cache_clear()
    source.code_digest.cache_clear()
    return source.code_digest("package.deep", folder=folder)


def test_the_digest_of_code_sees_every_file_of_the_closure_and_no_other(folder):
    before = source.code_digest("package.deep", folder=folder)
    inside = {f.replace("/", ".").removesuffix(".py").removesuffix(".__init__") for f in FILES}
    assert set(source.closure("package.deep", folder=folder)) == inside - {"never"}
    for name, text in FILES.items():
        assert digest_after(folder, name, "'Doc.'\n" + text + "# comment") == before
        changed = digest_after(folder, name, text + "\nz = 1")
        assert (changed != before) == (name != "never.py")
        assert digest_after(folder, name, text) == before


@pytest.fixture
def memory(tmp_path, monkeypatch):
    monkeypatch.setattr(source, "cache_folder", lambda: tmp_path / "cache")
    (tmp_path / "cache").mkdir()
    return tmp_path / "cache" / f"sources-{source._Memory.FORM}.json"


def test_what_was_parsed_once_is_remembered_by_its_bytes(folder, memory, monkeypatch):
    first = source._Memory()
    found = first.read(folder / "helper.py")
    first.save()
    assert list(json.loads(memory.read_text())) == [hashlib.sha256(FILES["helper.py"].encode()).hexdigest()]
    monkeypatch.setattr(source, "_parse", lambda text: pytest.fail("parsed again"))
    assert source._Memory().read(folder / "helper.py") == found
    assert list(memory.parent.iterdir()) == [memory]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"a": 1}', '{"a": ["x", [1]]}', "null"])
def test_a_damaged_memory_is_as_none_and_made_anew(folder, memory, text):
    memory.write_text(text)
    again = source._Memory()
    assert again.read(folder / "helper.py").digest == source.syntax_digest(FILES["helper.py"])
    again.save()
    assert len(json.loads(memory.read_text())) == 1


def test_a_memory_that_is_too_large_keeps_what_is_in_use(folder, memory, monkeypatch):
    monkeypatch.setattr(source._Memory, "LARGEST", 1)
    for name in ("helper.py", "late.py"):
        one = source._Memory()
        one.read(folder / name)
        one.save()
    assert list(json.loads(memory.read_text())) == [hashlib.sha256(b"").hexdigest()]


@pytest.mark.processes
def test_it_brings_no_heavy_module():
    code = "import sys, pairsweep.kernels.source; print('numpy' in sys.modules or 'numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"
