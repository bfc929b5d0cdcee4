"""Answers what CPython's struct and NumPy say of format texts: the other side of tests/python.rs.

A line of input: `struct` or `numpy`, the text in hex, bytes in hex. A line of output:
struct: itemsize, then the values in a form that both sides write alike; `-` when it raises.
numpy: itemsize, then offset:size of each field; `-` when it raises.
"""

import struct
import sys

try:
    from numpy._core._internal import _dtype_from_pep3118
except ImportError:
    _dtype_from_pep3118 = None


def shown(value):
    if isinstance(value, bool):
        return "?%d" % value
    if isinstance(value, int):
        return "%d" % value
    if isinstance(value, float):
        return "nan" if value != value else "f" + struct.pack(">d", value).hex()
    return "b" + value.hex()


def of_struct(text, data):
    size = struct.calcsize(text)
    values = struct.unpack(text, data[:size])
    again = struct.pack(text, *values)
    return " ".join(["%d" % size, again.hex() or "."] + [shown(v) for v in values])


def of_numpy(text, data):
    dt = _dtype_from_pep3118(text)
    fields = [dt.fields[name] for name in dt.names] if dt.names else []
    return " ".join(["%d" % dt.itemsize] + ["%d:%d" % (f[1], f[0].itemsize) for f in fields])


for line in sys.stdin:
    kind, text, data = line.split(" ")
    answer = of_struct if kind == "struct" else of_numpy
    try:
        print(answer(bytes.fromhex(text).decode(), bytes.fromhex(data)))
    except Exception:
        print("-")
