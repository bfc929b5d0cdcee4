"""The table of printed arrays against NumPy's own printing.

The committed table `../data/printed.txt` holds arrays and what `str` and `array2string(separator=", ")` of NumPy make of
them; the Rust tests hold the `Display` of views against it. This test prints them again and compares. Run it as a
program to print the table anew.
"""

import math
import pathlib

import numpy as np

TABLE = pathlib.Path(__file__).parent.parent / "data" / "printed.txt"


def cases():
    """Format, array; the bytes of an array are in C order."""
    for shape in [(), (1,), (5,), (2, 3), (2, 2, 3), (1, 1, 1, 2), (0,), (3, 0), (2, 0, 3)]:
        count = math.prod(shape)
        yield "<q", (np.arange(count) * 37 - 50).astype("<i8").reshape(shape)
    for code, kind in [("b", "i1"), ("B", "u1"), ("<H", "<u2"), (">i", ">i4"), ("<Q", "<u8")]:
        yield code, np.array([[0, 1], [100, 7]], kind)
    yield "<Q", np.array([0, 2**64 - 1], "<u8")
    yield "b", np.array([-128, 5, 127], "i1")
    # Lines that are too long, and arrays that are too large.
    yield "<q", np.arange(60, dtype="<i8")
    yield "<i", (np.arange(90, dtype="<i4") * 12345).reshape(3, 30)
    for shape in [(10, 100), (1001,), (100, 11), (2, 100, 6), (8, 6, 4, 8)]:
        yield "<H", np.arange(math.prod(shape), dtype="<u2").reshape(shape)
    yield "?", np.array([True, False, True])
    yield "?", np.array([[True], [True]])
    floats = [
        [0.0], [-0.0, 1.0], [1.0, 2.5, -30.25], [0.1, 0.2, 0.3], [1 / 3, 2 / 3], [1e-4, 0.5], [1e-5, 0.5], [1e8, 1.0],
        [99999999.0], [1e7, 1e4], [123456.789, 1.0], [1000.0, 1.0], [1001.0, 1.0], [1e300, -1e-300], [1e100, 2e5],
        [math.nan, 1.0], [math.inf, -math.inf, 0.5], [math.nan, math.inf], [-math.inf, 1e10], [math.nan, -1e-9],
        [123456789012.0], [0.123456789012, 5.0], [1.5, math.nan, -22.125], [5e-324, 1.0], [math.pi * 1e5, math.e],
    ]
    for values in floats:
        yield "<d", np.array(values, "<f8")
        with np.errstate(over="ignore", under="ignore"):
            yield "<f", np.array(values, "<f4")
    for values in [[0.1, 0.2, 1 / 3], [1.0, 65504.0], [6e-8, 1.0], [999.5, 100.25], [math.nan, 2.0], [0.0009765625, 0.5]]:
        yield "<e", np.array(values, "<f2")
    yield "<d", np.linspace(0, 1, 24).reshape(4, 6)
    yield "<d", np.sqrt(np.arange(40.0)) * 1e5
    yield "<Zd", np.array([1 + 2j, -0.5 - 10.25j, 3], "<c16")
    yield "<Zf", np.array([[1e10 + 1j], [0.1j]], "<c8")
    yield "<Zd", np.array([complex(math.nan, 1), complex(1, -math.inf)], "<c16")
    pair = np.dtype([("a", "<i4"), ("b", "<f8")])
    yield "<T{i:a:d:b:}", np.array([(1, 2.5), (-10, 300.0)], pair)
    yield "<T{i:a:d:b:}", np.array([[(1, 0.5)], [(2, 1e-9)]], pair)
    nested = np.dtype([("n", "u1"), ("p", [("x", "<f4"), ("y", "?")]), ("m", "<i2", (2, 2))])
    yield "<T{B:n:T{f:x:?:y:}:p:(2,2)h:m:}", np.array([(1, (0.5, True), [[1, 2], [30, 4]]), (200, (9, False), [[5] * 2] * 2)], nested)
    yield "<T{i:only:}", np.array([(7,), (11,)], np.dtype([("only", "<i4")]))


def table():
    for code, array in cases():
        shape = ",".join(map(str, array.shape))
        for separator in " ", ", ":
            # `str` of a single value is that of a Python number; as an array it is written as the others.
            text = np.array2string(array, separator=separator, threshold=1000, edgeitems=3, max_line_width=75, precision=8)
            yield f"> {code} | {shape} | {'commas' if separator == ', ' else 'spaces'} | {array.tobytes().hex()}\n{text}\n"


def test_the_table_is_what_numpy_prints():
    assert TABLE.read_text() == "".join(table())


if __name__ == "__main__":
    print("".join(table()), end="")
