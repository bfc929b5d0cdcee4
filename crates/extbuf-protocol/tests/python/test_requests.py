"""The table of requests against CPython's own exporter.

`_testbuffer.ndarray` ships with the interpreter and answers every request flag by the rules of the protocol. This
test asks it for every consistent set of flags on ten kinds of memory, read-only and writable, and compares with the
committed table `../data/requests.txt`, which the Rust tests hold `Request::check` against. Run it as a program to
print the table anew.
"""

import pathlib

from _testbuffer import ND_FORTRAN, ND_PIL, ND_SCALAR, ND_WRITABLE, ndarray

TABLE = pathlib.Path(__file__).parent.parent / "data" / "requests.txt"

SIX = list(range(6))
KINDS = [
    ("c_2d", SIX, dict(shape=[2, 3])),
    ("f_2d", SIX, dict(shape=[2, 3], flags=ND_FORTRAN)),
    ("one_d", SIX, dict(shape=[6])),
    ("strided_1d", SIX, dict(shape=[3], strides=[2])),
    ("reversed_1d", SIX, dict(shape=[6], strides=[-1], offset=5)),
    ("scalar", 5, dict(shape=[], flags=ND_SCALAR)),
    ("one_item", [5], dict(shape=[1])),
    ("zero_items", SIX, dict(shape=[0, 3], strides=[3, 1])),
    ("pil_2d", SIX, dict(shape=[2, 3], flags=ND_PIL)),
    ("unit_axis", SIX, dict(shape=[1, 6], strides=[77, 1])),
]

# Each flag with all that it implies; a set with a part of it alone contradicts itself.
WHOLE = [(0x10, 0x18), (0x20, 0x38), (0x40, 0x58), (0x80, 0x98), (0x100, 0x118), (0x04, 0x0C)]


def consistent(bits):
    return not bits & 0x002 and all(not bits & own or bits & whole == whole for own, whole in WHOLE)


def answer(exporter, bits):
    """'-' for a refusal, else a hexadecimal digit: 1 format, 2 shape, 4 strides, 8 suboffsets given."""
    try:
        view = ndarray(exporter, getbuf=bits)
    except BufferError:
        return "-"
    given = [bool(view.format), bool(view.shape), bool(view.strides), bool(view.suboffsets)]
    return format(sum(1 << i for i, there in enumerate(given) if there), "x")


def table():
    requests = [bits for bits in range(0x200) if consistent(bits)]
    lines = ["requests " + " ".join(format(bits, "03x") for bits in requests)]
    for name, items, options in KINDS:
        options = dict(options)
        flags = options.pop("flags", 0)
        for access, extra in (("read", 0), ("write", ND_WRITABLE)):
            exporter = ndarray(items, flags=flags | extra, format="B", **options)
            lines.append(f"{name} {access} " + "".join(answer(exporter, bits) for bits in requests))
    return "\n".join(lines) + "\n"


def test_the_committed_table_is_what_cpython_answers():
    assert TABLE.read_text() == table()


if __name__ == "__main__":
    print(table(), end="")
