"""The type stubs name what is there, and nothing else."""

import ast
import inspect
from pathlib import Path

import pytest

import extbuf

STUBS = ast.parse((Path(extbuf.__file__).parent / "__init__.pyi").read_text())
CLASSES = {node.name: node for node in STUBS.body if isinstance(node, ast.ClassDef)}


def names(body):
    for node in body:
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.AnnAssign(target=ast.Name(id=name)):
                yield name
            case ast.ImportFrom(module="extbuf", names=imported):
                yield from (alias.asname for alias in imported)


def test_the_package_is_marked_as_typed():
    assert (Path(extbuf.__file__).parent / "py.typed").exists()


def test_every_name_of_the_package_is_in_the_stubs():
    assert set(extbuf.__all__) == {name for name in names(STUBS.body) if name == "__version__" or name[0] != "_"}


@pytest.mark.parametrize("name", CLASSES)
def test_every_public_name_of_a_class_is_in_the_stubs(name):
    there = {each for each in vars(getattr(extbuf, name)) if not each.startswith("_")}
    assert there == {each for each in names(CLASSES[name].body) if not each.startswith("_")}


@pytest.mark.parametrize("name", CLASSES)
def test_every_method_has_the_arguments_of_the_stubs(name):
    there = getattr(extbuf, name)
    for node in CLASSES[name].body:
        overloaded = isinstance(node, ast.FunctionDef) and any(
            isinstance(each, ast.Name) and each.id in ("overload", "property", "classmethod")
            for each in node.decorator_list
        )
        if not isinstance(node, ast.FunctionDef) or overloaded or node.name.startswith("__") or node.name == "hex":
            continue
        given = node.args.posonlyargs + node.args.args + node.args.kwonlyargs
        wanted = [argument.arg for argument in given]
        assert list(inspect.signature(getattr(there, node.name)).parameters) == wanted, node.name


def test_every_name_says_what_it_is():
    for name in extbuf.__all__:
        assert name == "__version__" or getattr(extbuf, name).__doc__, name
    for name in CLASSES:
        for each, member in vars(getattr(extbuf, name)).items():
            if not each.startswith("_") and each not in ("dialects", "bit_offset"):
                assert member.__doc__, f"{name}.{each}"


def test_the_stubs_of_the_exporter_name_what_is_there():
    from extbuf import testing

    stubs = ast.parse((Path(extbuf.__file__).parent / "testing.pyi").read_text())
    assert set(testing.__all__) == {name for name in names(stubs.body) if name and name[0] != "_"}
    for node in stubs.body:
        if isinstance(node, ast.ClassDef):
            there = {each for each in vars(getattr(testing, node.name)) if not each.startswith("_")}
            assert there == {each for each in names(node.body) if not each.startswith("_")}
