"""Runs the suites that ship with CPython on extbuf's types, without editing a line of them.

A suite is a module of the package `test`. Before it is run, names that it would take from the interpreter are put into
its globals (`memoryview`) or into the table of modules (`struct`, `_testbuffer`), so that it tests ours instead. What
cannot hold is listed in `exceptions.toml`, each test with its reason; a listed test that passes is a failure of this
program, as is one that fails and is not listed.

    python run.py                 every suite, each in a process of its own
    python run.py SUITE           one suite
    python run.py SUITE TEST ...  single tests, with everything they print
"""

import contextlib
import importlib
import importlib.util
import io
import json
import os
import random
import subprocess
import sys
import tomllib
import unittest
from pathlib import Path

import forgiving

HERE = Path(__file__).parent

# test_buffer draws random structures; each run draws the same.
SEED = 3118

# The only reasons for which a test may be left to fail.
REASONS = {
    "missing": "asserts that something is missing which is there",
    "internals": "looks at the internals of CPython",
}


class Suite:
    """Modules of CPython's tests, each under the names that it has had, and what stands in for what."""

    def __init__(self, what, *modules, builtins=(), modules_replaced=(), only=None, listed_as=None):
        self.what = what
        self.listed_as = listed_as
        self.modules = modules
        self.builtins = builtins
        self.modules_replaced = modules_replaced
        self.only = only

    def load(self):
        """The tests of the modules that this interpreter has, `None` where it has none of them."""
        for name, stand_in in self.modules_replaced:
            sys.modules[name] = importlib.import_module(stand_in)
        specs = list(filter(None, map(found, self.modules)))
        return [test for spec in specs for test in self.tests(spec)] if specs else None

    def tests(self, spec):
        if sys.version_info < (3, 12):
            # The suites of 3.11 call what NumPy 2 has taken away; without NumPy they leave those lines out.
            sys.modules["numpy"] = None
        module = importlib.util.module_from_spec(spec)
        for name, stand_in in self.builtins:
            setattr(module, name, stand_in())
        sys.modules[spec.name] = module
        random.seed(SEED)
        spec.loader.exec_module(module)
        tests = flat(unittest.defaultTestLoader.loadTestsFromModule(module))
        if self.only is not None:
            tests = [test for test in tests if self.only(test, module)]
        return tests


def found(names):
    """A module under the first of its names that this interpreter has."""
    for name in [names] if isinstance(names, str) else names:
        with contextlib.suppress(ModuleNotFoundError):
            spec = importlib.util.find_spec(name)
            if spec is not None:
                return spec
    return None


def uses(word):
    """Chooses the tests in whose code, or whose class, a name stands."""
    import inspect

    def chosen(test, module):
        method = getattr(test, test._testMethodName)
        with contextlib.suppress(OSError, TypeError):
            return word in inspect.getsource(inspect.unwrap(method))
        return False

    return chosen


def view():
    return importlib.import_module("extbuf").View


def view_but_in_exporters():
    """The view, and in a method `__buffer__` the interpreter's own memoryview, because from there it takes nothing else:
    so the exporters that the suite writes in Python are lent from as they are, and the view is what consumes them."""

    class Chosen(type):
        def __call__(cls, *arguments, **named):
            in_exporter = sys._getframe(1).f_code.co_name == "__buffer__"
            return (memoryview if in_exporter else view())(*arguments, **named)

        def __instancecheck__(cls, object):
            return isinstance(object, view())

        def __getattr__(cls, name):
            return getattr(view(), name)

    return Chosen("memoryview", (), {})


VIEW = [("memoryview", view)]

# Those that use a memoryview.
CTYPES = [
    "test_pep3118",
    "test_frombuffer",
    "test_array_in_pointer",
    "test_byteswap",
    "test_strings",
    "test_pickling",
]

# The same, where what takes a memoryview needs no network and no other process.
CONSUMERS = [
    "test_audioop",
    "test_base64",
    "test_binascii",
    "test_bz2",
    "test_codecs",
    "test_collections",
    "test_fileio",
    "test_float",
    "test_format",
    "test_gzip",
    "test_hash",
    "test_hashlib",
    "test_hmac",
    "test_int",
    "test_io",
    "test_long",
    "test_marshal",
    "test_os",
    "test_posix",
    "test_re",
    "test_shutil",
    "test_str",
    "test_unicode",
    "test_xxlimited",
]

SUITES = {
    "memoryview": Suite("View as memoryview", "test.test_memoryview", builtins=VIEW),
    "buffer": Suite("View as memoryview", "test.test_buffer", builtins=[("memoryview", view_but_in_exporters)]),
    "testbuffer": Suite(
        "extbuf.testing as _testbuffer", "test.test_buffer", modules_replaced=[("_testbuffer", "extbuf.testing")]
    ),
    "both": Suite(
        "both at once",
        "test.test_buffer",
        builtins=[("memoryview", view_but_in_exporters)],
        modules_replaced=[("_testbuffer", "extbuf.testing")],
        listed_as="buffer",
    ),
    "struct": Suite("extbuf.struct as struct", "test.test_struct", modules_replaced=[("struct", "extbuf.struct")]),
    "picklebuffer": Suite("View of a PickleBuffer", "test.test_picklebuffer", builtins=VIEW),
    "array": Suite("View of an array", "test.test_array", builtins=VIEW, only=uses("memoryview")),
    "bytes": Suite("View of bytes", "test.test_bytes", builtins=VIEW, only=uses("memoryview")),
    "mmap": Suite("View of a mapped file", "test.test_mmap", modules_replaced=[("mmap", "mapped")]),
    "ctypes": Suite(
        "View of ctypes objects",
        *((f"test.test_ctypes.{name}", f"ctypes.test.{name}") for name in CTYPES),
        builtins=VIEW,
    ),
    "consumers": Suite(
        "View handed to the library",
        *(f"test.{name}" for name in CONSUMERS),
        builtins=VIEW,
        only=uses("memoryview"),
    ),
}


def flat(suite):
    if isinstance(suite, unittest.TestSuite):
        return [test for part in suite for test in flat(part)]
    return [suite]


def name_of(test):
    return f"{type(test).__name__}.{test._testMethodName}"


class Outcome(unittest.TestResult):
    """The outcome of each test by its name."""

    def __init__(self):
        super().__init__()
        self.outcomes = {}

    def note(self, test, outcome, error=None):
        if isinstance(test, unittest.case._SubTest):
            test = test.test_case
        name = name_of(test) if hasattr(test, "_testMethodName") else str(test)
        if self.outcomes.get(name, ("passed",))[0] != "failed":
            self.outcomes[name] = (outcome, error)

    def addSuccess(self, test):
        super().addSuccess(test)
        if name_of(test) not in self.outcomes:
            self.note(test, "passed")

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.note(test, "failed", self._exc_info_to_string(err, test))

    def addError(self, test, err):
        super().addError(test, err)
        self.note(test, "failed", self._exc_info_to_string(err, test))

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.note(test, "failed", self._exc_info_to_string(err, test))

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.note(test, "skipped", reason)


def one(name):
    """Runs a suite in this process and prints what came of it."""
    tests = SUITES[name].load()
    if tests is None:
        print(json.dumps(None))
        return
    result, rest = Outcome(), Outcome()
    printed = io.StringIO()
    listed = exceptions(name)
    passed_over = 0
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        unittest.TestSuite(tests[:]).run(result)
        for test in tests:
            entry = listed.get(name_of(test))
            if entry is not None and entry["reason"] == "missing" and "rest" not in entry:
                passed_over += forgiving.run(test, rest, entry.get("also", ()))
    print(json.dumps([result.outcomes, rest.outcomes, passed_over]))


def single(name, wanted):
    """Runs the named tests of a suite and shows everything."""
    tests = [test for test in SUITES[name].load() if name_of(test) in wanted or test._testMethodName in wanted]
    unittest.TextTestRunner(verbosity=2).run(unittest.TestSuite(tests))


def exceptions(suite):
    """The tests of a suite that cannot hold on this interpreter, and why."""
    listed = {}
    heading = SUITES[suite].listed_as or suite
    for entry in tomllib.loads((HERE / "exceptions.toml").read_text()).get(heading, []):
        if entry["reason"] not in REASONS:
            sys.exit(f"exceptions.toml: {entry['reason']!r} is no reason; these are: {', '.join(REASONS)}")
        if "since" in entry and sys.version_info[:2] < tuple(entry["since"]):
            continue
        if "before" in entry and sys.version_info[:2] >= tuple(entry["before"]):
            continue
        listed |= dict.fromkeys(entry["tests"], entry)
    return listed


def checked(name):
    """Runs a suite in a process of its own; its line of the table, and whether all is as it should be."""
    version = ".".join(map(str, sys.version_info[:3]))
    command = [sys.executable, __file__, "--one", name]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONHASHSEED": "0"})
    label = f"{version:<8} {name:<13}"
    if done.returncode != 0:
        print(f"{label} the process ended with {done.returncode}:\n{done.stderr}")
        return False
    answer = json.loads(done.stdout.splitlines()[-1])
    if answer is None:
        print(f"{label} not run: this interpreter has none of its modules")
        return True
    outcomes, rest, passed_over = answer
    listed = exceptions(name)
    by = {"passed": [], "failed": [], "skipped": []}
    for test, (outcome, _) in outcomes.items():
        by[outcome].append(test)
    unlisted = [test for test in by["failed"] if test not in listed]
    stale = [test for test in listed if test in by["passed"]]
    unknown = [test for test in listed if test not in outcomes]
    counts = {key: len(tests) for key, tests in by.items()}
    COUNTED[name] = (counts["passed"], counts["failed"] - len(unlisted))
    print(
        f"{label} {counts['passed']:>3} pass, {counts['failed'] - len(unlisted):>2} listed as impossible, "
        f"{counts['skipped']:>2} skipped by CPython's own conditions  ({SUITES[name].what})"
    )
    if rest:
        print(f"{'':<22} {len(rest):>3} of the listed hold to their end, but for {passed_over} such assertions")
    broken = [test for test, (outcome, _) in rest.items() if outcome != "passed"]
    for test in broken:
        print(f"    FAILS also but for what it asserts to be missing: {test}\n{indented(rest[test][1])}")
    for test in unlisted:
        print(f"    FAILS  {test}\n{indented(outcomes[test][1])}")
    for test in stale:
        print(f"    PASSES and is listed in exceptions.toml: {test}")
    for test in unknown:
        print(f"    LISTED and not there: {test}")
    return not (unlisted or stale or unknown or broken)


COUNTED = {}


def stale_page():
    """Cells of the book's table that are not what was counted: the page names the exact versions it speaks of."""
    page = HERE.parents[3] / "docs/src/python.md"
    rows = [line.strip("| ").split("|") for line in page.read_text().splitlines() if line.startswith("| ")]
    rows = [[cell.strip() for cell in row] for row in rows]
    head = next((row for row in rows if row[0] == "Suite"), [])
    version = ".".join(map(str, sys.version_info[:3]))
    if version not in head:
        return []
    column = head.index(version)
    said = {row[0].strip("`"): row[column] for row in rows if len(row) == len(head)}
    cells = {name: f"{passed} / {listed}" if listed else f"{passed}" for name, (passed, listed) in COUNTED.items()}
    return [(name, said.get(name), cell) for name, cell in cells.items() if said.get(name) != cell]


def indented(text):
    return "\n".join("        " + line for line in (text or "").splitlines()[-12:])


def main(arguments):
    match arguments:
        case ["--one", name]:
            one(name)
            return True
        case [name]:
            return checked(name)
        case [name, *tests]:
            single(name, tests)
            return True
    try:
        importlib.import_module("test.support")
    except ModuleNotFoundError:
        print(f"{sys.version.split()[0]:<8} not run: this interpreter came without its package `test`")
        return True
    good = all([checked(name) for name in SUITES])
    for name, said, cell in stale_page():
        print(f"    docs/src/python.md says {said!r} of {name}, and {cell!r} were counted")
        good = False
    return good


if __name__ == "__main__":
    sys.exit(0 if main(sys.argv[1:]) else 1)
