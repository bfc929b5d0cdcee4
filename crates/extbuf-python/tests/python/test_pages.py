"""The Python sessions in the book and in the READMEs show what the package answers."""

import doctest
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]
PAGES = [
    ROOT / "docs/src/python.md",
    ROOT / "docs/src/faults.md",
    ROOT / "README.md",
    ROOT / "crates/extbuf-python/README.md",
]


def sessions(page):
    return re.findall(r"^```python\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_sessions_of_a_page(page):
    # One test, so that a later session of a page goes on where an earlier one ended.
    whole = "\n".join(sessions(page))
    test = doctest.DocTestParser().get_doctest(whole, {}, page.name, str(page), 0)
    assert test.examples, "the page shows no session"
    said = []
    runner = doctest.DocTestRunner(verbose=False)
    runner.run(test, out=said.append)
    assert runner.failures == 0, "".join(said)
