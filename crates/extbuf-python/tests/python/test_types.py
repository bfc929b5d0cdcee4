"""A program that a strict type checker passes, and one that it does not."""

import subprocess
import sys
from pathlib import Path

import pytest

api = pytest.importorskip("mypy.api")

SAMPLE = """
import array
import pickle
import extbuf
from extbuf import Field, Format, View

data = bytearray(24)
view: View[int] = View(data, writable=True)
part = view[1:, ...]
with View(b"abc") as three:
    print(three.tobytes("C"), three.shape[0] + 1)
picture = extbuf.rows([data, array.array("B", data)], offset=2, format="T{B:r:B:g:}", shape=(4,))
fields: tuple[Field, ...] = Format("T{i:a:}").fields
name: str | None = fields[0].name
offset, inner = Format("T{i:a:}").field("a")
total: int = offset + inner.itemsize
extbuf.copy(data, bytes(24), threads=2)
text: str = extbuf.explain(picture, columns=80)
for item in extbuf.struct.iter_unpack("<ii", data):
    print(item[0])
packed: bytes = extbuf.struct.pack("<i", 1)
record = extbuf.struct.Struct("<hh")
size: int = record.size
values: tuple[object, ...] = record.unpack_from(data, 2)
tensor: View = extbuf.from_dlpack(view, copy=True)
print(pickle.dumps(tensor), view.T, view.permute(0), view == data, hash(Format("i")))
"""


def check(tmp_path, text):
    sample = tmp_path / "sample.py"
    sample.write_text(text)
    cache = str(tmp_path / "cache")
    said, _, failed = api.run(["--strict", "--cache-dir", cache, "--python-executable", sys.executable, str(sample)])
    return bool(failed), said


def test_a_program_that_uses_it_all_is_well_typed(tmp_path):
    failed, said = check(tmp_path, SAMPLE)
    assert not failed, said


@pytest.mark.parametrize(
    "line", ["View(3)", "View(b\"\").nbytes + \"\"", "extbuf.struct.pack(1)", "Format(\"i\").dialect", "extbuf.copy(1, 2)"]
)
def test_a_program_that_is_wrong_is_not(tmp_path, line):
    failed, _ = check(tmp_path, f"import extbuf\nfrom extbuf import Format, View\n{line}\n")
    assert failed


def test_the_stubs_say_what_the_module_has():
    allowed = Path(__file__).with_name("stubtest.txt")
    stubtest = [sys.executable, "-m", "mypy.stubtest", "--concise", "--ignore-unused-allowlist", "--allowlist", str(allowed)]
    done = subprocess.run([*stubtest, "extbuf"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
