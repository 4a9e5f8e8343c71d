"""The digest of a part's code: what it says, not how it is written down."""

import importlib
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from src.config import code
from src.models.plain import Mlp
from src.pruning.methods.sap import Sap
from tests.support import ROOT

PLAIN = """
from invented.helper import twice
class Thing:
    def value(self):
        return twice(1)
"""
HELPER = "def twice(x):\n    return 2 * x\n"


@pytest.fixture
def digest(tmp_path, monkeypatch):
    """The digest of the class `Thing` in a package `invented` with the given sources, and `beside` it a module."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def make(thing: str = PLAIN, helper: str = HELPER, module: str = "thing", beside: str = "", base=object) -> str:
        package = tmp_path / "invented"
        package.mkdir(exist_ok=True)
        for name, text in (("__init__", ""), (module, thing), ("helper", helper)):
            (package / f"{name}.py").write_text(textwrap.dedent(text))
        (tmp_path / "beside.py").write_text(beside)
        for name in [name for name in sys.modules if name.split(".")[0] == "invented"]:
            del sys.modules[name]
        importlib.invalidate_caches()
        forget()
        found = type("Thing", (base,), {"__module__": f"invented.{module}"})
        return code.code_digest(found)

    yield make
    forget()


CACHED = (code._spec, code._path, code._source, code._tree, code._digest, code._is_local)


def forget():
    for cached in CACHED:
        cached.cache_clear()


def test_comments_docstrings_and_layout_do_not_enter(digest):
    told = '''
    """What this is."""
    from invented.helper import twice  # a comment


    class Thing:
        """A thing."""

        def value(self):
            """Its value."""
            return (
                twice(1)
            )
    '''
    assert digest() == digest(told)


def test_the_mark_of_a_byte_order_and_an_encoding_do_not_enter(digest):
    assert digest("\ufeff" + textwrap.dedent(PLAIN)) == digest("# -*- coding: utf-8 -*-" + PLAIN) == digest()


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("def f(): g(None)", "FunctionDef(name='f', args=arguments(posonlyargs=[], args=[], kwonlyargs=[], "
         "kw_defaults=[], defaults=[]), body=[Expr(value=Call(func=Name(id='g', ctx=Load()), "
         "args=[Constant(value=None)], keywords=[]))], decorator_list=[])"),
        ("class A: pass", "ClassDef(name='A', bases=[], keywords=[], body=[Pass()], decorator_list=[])"),
        ("f'{x:{y}}'", "Expr(value=JoinedStr(values=[FormattedValue(value=Name(id='x', ctx=Load()), conversion=-1, "
         "format_spec=JoinedStr(values=[FormattedValue(value=Name(id='y', ctx=Load()), conversion=-1)]))]))"),
        ("{**a}", "Expr(value=Dict(keys=[None], values=[Name(id='a', ctx=Load())]))"),
    ],
)  # fmt: skip
def test_a_tree_is_written_as_python_3_11_does(text, written):
    assert code._written(text.encode()) == f"Module(body=[{written}], type_ignores=[])"


ALL_TREES = """
import hashlib
from pathlib import Path
from src.config.code import _written
told = "".join(_written(path.read_bytes()) for path in sorted(Path("src").rglob("*.py")))
print(hashlib.sha256(told.encode()).hexdigest())
"""


def trees_of(python: str) -> str:
    done = subprocess.run([python, "-c", ALL_TREES], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("minor", [11, 12, 13])
def test_every_python_writes_the_same_trees_of_our_code(minor):
    beside = Path(sys.base_prefix).parent.glob(f"*3.{minor}*/bin/python3")
    pythons = filter(None, [*map(str, beside), shutil.which(f"python3.{minor}")])
    works = (p for p in pythons if subprocess.run([p, "--version"], capture_output=True).returncode == 0)
    if (python := next(works, None)) is None:
        pytest.skip(f"no Python 3.{minor} here")
    assert trees_of(python) == trees_of(sys.executable)


def test_an_edit_enters_also_one_of_a_module_that_is_imported(digest):
    first = digest()
    assert digest(PLAIN.replace("twice(1)", "twice(2)")) != first
    assert digest(helper=HELPER.replace("2 * x", "3 * x")) != first
    assert digest() == first


def test_the_place_does_not_enter(digest):
    assert digest(module="elsewhere") == digest()


def test_a_module_beside_the_package_enters_at_any_depth(digest):
    helper = "def twice(x):\n    from beside import factor\n    return factor * x\n"
    first = digest(helper=helper, beside="factor = 2")
    assert digest(helper=helper, beside="factor = 3") != first
    assert digest(helper=helper, beside="factor = 2  # as before") == first


@pytest.mark.parametrize("name", ["json", "numpy", "torch.nn", "src.sparsity.pqi", "nowhere"])
def test_what_is_pythons_installed_or_ours_is_not_looked_into(digest, name):
    digest(thing=f"import {name}\nimport invented.helper\nimport beside\n")
    assert code._reached("invented.thing") == {"invented.thing", "invented.helper", "beside"}


@pytest.mark.parametrize("edited", ["src.pruning.methods.sap", "src.pruning.amounts"])
def test_a_part_that_derives_from_one_of_ours_is_another_when_that_one_is(digest, monkeypatch, edited):
    first, tree = digest(base=Sap), code._tree
    monkeypatch.setattr(code, "_tree", lambda module: "edited" if module == edited else tree(module))
    code._digest.cache_clear()
    assert code.code_digest(type("Thing", (Sap,), {"__module__": "invented.thing"})) != first


def test_the_digests_that_the_committed_records_have_do_not_change():
    assert code.code_digest(Sap) == "0d3d81f9692075fbd785d73612750b80"
    assert code.code_digest(Mlp) == "4c799a8b1af92cb5b5a885b7eac8fa69"


def test_a_digest_imports_no_pytorch():
    asked = (
        "import sys; from src.config.code import code_digest; from src.pruning.methods.sap import Sap;"
        "from src.models.plain import Mlp; print(code_digest(Sap), code_digest(Mlp)); assert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert len(set(done.stdout.split())) == 2


def test_what_a_kind_of_part_is_does_not_enter(monkeypatch):
    before = code.code_digest(Sap)
    seen = code._tree

    def edited(module):
        return "edited" if module == "src.pruning.method" else seen(module)

    monkeypatch.setattr(code, "_tree", edited)
    code._digest.cache_clear()
    assert code.code_digest(Sap) == before
    monkeypatch.setattr(code, "_tree", lambda module: "edited" if module == "src.pruning.amounts" else seen(module))
    code._digest.cache_clear()
    assert code.code_digest(Sap) != before
    monkeypatch.undo()
    code._digest.cache_clear()
