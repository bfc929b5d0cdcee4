"""Prints crates/extbuf-testkit/src/format_facts.rs: what CPython, NumPy and ctypes say of format texts.

Run on x86-64 Linux with NumPy installed, from this folder:

    python facts.py > ../../../extbuf-testkit/src/format_facts.rs
"""

import array
import ctypes
import platform
import struct

import numpy
from numpy._core._internal import _dtype_from_pep3118

STRUCT = """
|x|c|b|B|?|h|H|i|I|l|L|q|Q|n|N|e|f|d|s|p|P|@i|=i|<i|>i|!i|@l|=l|<l|>l|!l|=q|<h|>d|<e|=?|<?
@n|<n|=N|>n|<P|=P|g|<g|O|w|u|t|Zi|^i|T{i}|(2)i|i:a:|&i|X{}|[a]|k|i k|3|<|@|=| |  |<  i| <i|i<i|ii<|2 i|3  h|i\ti|i\ni
qb|bq|ix|ixx|xi|b0q|ib0i|0i|0s|0x|0p|10x|3s|3c|255p|1000s|hhl|hll|bhilq|bhil0q|=bhilq|<bhilq|>bhilq|hbhbh|c0l|?0d
99999999999999999999i|9223372036854775807s|9223372036854775808s|9223372036854775807x|4611686018427387904h|4611686018427387903h
6107082938247334i9221070829382473344q|0000003i|00i|-1i|+1i|1.5i|i\0|2|12|@2|4sP|P4s|nN|eb|be|3e|2d3x|xxxd|2xd|bd|db|dbx
"""

NUMPY = """
|i|ix|ixx|i0x|^ix|^ixx|qb|bq|b0q|0q|ii|2i|1i|3s|3c|c|s|2s|5x|x|3w|w|(2)3s|(2,3)d|(2)>i|>(2)i|2>i|(2)3i|(1)i|(0)i|(3)0i
=l|<l|>l|@l|^l|=L|g|^g|<g|Zf|Zd|Zg|<Zd|<Zg|e|<e|O|<O|?|n|N|P|p|u|&i|X{}|t|F|D|z|Z|Zi|Ze|k
T{i}|T{i:a:}|T{b:a:i:b:}|T{i:a:b:b:}|T{=i:a:b:b:}|T{<b:a:<i:b:}|T{b:a:xxxi:b:T{b:f0:=i:f1:}:sub:xxxi:c:}
T{b:a:T{b:x:i:y:}:s:b:c:}|T{b:a:T{=b:x:i:y:}:s:i:c:}|T{i:a:T{^b:x:i:y:}:s:i:c:}|^T{b:a:i:b:}|T{^b:a:i:b:}b:c:
T{ii}:x:b:y:|T{b:a:^i:b:@i:c:}|T{i:a:(2)T{b:x:h:y:}:p:}|T{i:a:2T{b:x:h:y:}:p:}|T{3x:v:i:a:}|T{}|T{}:e:i:a:|T{0i:a:b:b:}|T{f:float:T{xxb:char:xd:double:}:compound:}
T{i:a_name:xxxxxxxxxxxxxxxx6s:c_name:(5,10)h:d_name:xxf:e_name:xxxx(10)d:f_name:B:g_name:}|T{>d:a:i:b:5s:c:}|T{10s:a:x5s:b:}|T{I:A:I:B:}
T{(2)>i:var:(2)h:xyz:}|T{8s:ANNAME:(3)>d:STABXYZ:(0)d:ORBPARM:}|T{B:a:xxx>i:b:(2,3)@d:c:}|T{>h:C:h:X:h:Y:h:R:}|T{O:A:O:B:}
T{l:param:d:x:d:alpha:d:beta:l:gamma:l:delta:d:pct:d:pdf:d:cdf:}|T{(2,1)i:a:(2,1)d:b:}|T{(1,1,128,1,3)f:d:}|T{?:a:=i:b:d:c:4s:d:}
i i|i :a:|(2, 3)i|( 2,3 )i|(2 ,3)i|i\t|()i|(3,)i|(-1)i|(1,2|i:a|T{i|}|i}|:a:i|i::|i:a:i:a:|<|@|3|(2)|<i>h|@i<i|T{<i}i|T{i:b c:}|T{d:x.y:}|T{i:ü:}
3x|0x|10000000000s|99999999999999999999i|T{h:a:l:b:}(2)h:c:|b(3)i|bT{}q|T{hT{b}}b|hT{hT{iT{b}}}|T{b=i@i}|b=i@q
"""


def lines(text):
    return [item.encode().decode("unicode_escape").encode("latin-1").decode("utf-8")
            for line in text.strip("\n").split("\n") for item in line.split("|")]


def calcsize(text):
    try:
        return struct.calcsize(text)
    except (struct.error, ValueError):
        return None


def dtype(text):
    try:
        return _dtype_from_pep3118(text)
    except Exception:  # NumPy raises ValueError, KeyError, RuntimeError, IndexError, NotImplementedError
        return None


def rust(text):
    out = "".join(c if " " <= c <= "~" or c > "\x7f" else "\\u{%x}" % ord(c) for c in text.replace("\\", "\\\\").replace('"', '\\"'))
    return '"%s"' % out


def option(value):
    return "None" if value is None else "Some(%s)" % value


def fields(dt):
    if not dt or not dt.fields:
        return "&[]"
    return "&[%s]" % ", ".join("(%d, %d)" % (dt.fields[n][1], dt.fields[n][0].itemsize) for n in dt.names)


def exports():
    """Who exports it, its text, its itemsize, and the dialect that reads it."""
    c = ctypes

    class Padded(c.Structure):
        _fields_ = [("a", c.c_ubyte), ("b", c.c_uint)]

    class Packed(c.Structure):
        _pack_ = 1
        _fields_ = [("a", c.c_ubyte), ("b", c.c_uint)]

    class Big(c.BigEndianStructure):
        _fields_ = [("a", c.c_short), ("b", c.c_double)]

    class Nested(c.Structure):
        _fields_ = [("p", Padded), ("q", Padded * 2), ("r", c.c_int * 3 * 2)]

    class Mixed(c.Structure):
        _fields_ = [("p", c.POINTER(c.c_int)), ("f", c.CFUNCTYPE(c.c_int)), ("s", c.c_char_p), ("w", c.c_wchar_p),
                    ("v", c.c_void_p), ("o", c.py_object), ("c", c.c_char * 5), ("g", c.c_longdouble)]

    class Union(c.Union):
        _fields_ = [("a", c.c_int), ("b", c.c_float)]

    class Bits(c.Structure):
        _fields_ = [("a", c.c_uint, 3), ("b", c.c_uint, 5)]

    for t in [c.c_bool, c.c_char, c.c_byte, c.c_ubyte, c.c_short, c.c_ushort, c.c_int, c.c_uint, c.c_long, c.c_ulong,
              c.c_longlong, c.c_ulonglong, c.c_size_t, c.c_float, c.c_double, c.c_longdouble, c.c_wchar, c.c_char_p,
              c.c_wchar_p, c.c_void_p, c.py_object, c.POINTER(c.c_int), c.POINTER(c.c_int * 3), c.CFUNCTYPE(c.c_int),
              c.c_int.__ctype_be__, Padded, Packed, Big, Nested, Mixed, Union, Bits]:
        view = memoryview(t())
        yield "ctypes", t.__name__, view.format, view.itemsize, "ctypes"
    for code in "bBhHiIlLqQfdu":
        view = memoryview(array.array(code))
        yield "array", code, view.format, view.itemsize, "pep3118"
    n = numpy
    aligned = n.dtype([("a", "i1"), ("b", "i4"), ("c", "i2")], align=True)
    for what in ["?", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8", "g", "F", "D", "G", "S3", "U3", "V4", "O",
                 ">i4", ">f8", ">U2", [("a", "i1"), ("b", "i4")], [("a", "i4"), ("b", "i1")], [("a", "f8"), ("b", "i4", (2, 3))],
                 [("a", "S3"), ("b", ">i2"), ("c", "f8")], aligned, n.dtype([("x", "i1"), ("s", aligned), ("y", "i1")], align=True),
                 [("s", [("a", "i4"), ("b", "i1")]), ("c", "i4")],
                 {"names": ["a"], "formats": ["i4"], "itemsize": 16},
                 {"names": ["a", "b"], "formats": ["i4", "f8"], "offsets": [2, 16], "itemsize": 30}]:
        dt = n.dtype(what)
        view = memoryview(n.zeros(4, dt))
        yield "numpy", str(what) if isinstance(what, str) else "record", view.format, view.itemsize, "numpy"


def shown(value):
    if isinstance(value, bool):
        return "?%d" % value
    if isinstance(value, int):
        return "%d" % value
    if isinstance(value, float):
        return "f%016x" % struct.unpack("<Q", struct.pack("<d", value))
    return "b" + value.hex()


def vectors():
    """Texts, values and the bytes that struct packs them to."""
    integers = {"b": 8, "h": 16, "i": 32, "l": 32, "q": 64}
    for code, bits in integers.items():
        for value in (0, 1, -1, 2 ** (bits - 1) - 1, -2 ** (bits - 1), 0x12345678 % 2 ** (bits - 1)):
            yield code, (value,)
        for value in (0, 1, 2 ** bits - 1, 0x9ABCDEF0 % 2 ** bits):
            yield code.upper(), (value,)
    for code, numbers in {"e": (0.0, -0.0, 1.0, -2.0, 65504.0, 6.1e-5, 5.96e-8, 0.333251953125, float("inf"), 1 + 2 ** -11),
                          "f": (0.0, -0.0, 1.5, 3.4028234663852886e38, 1e-45, 0.1, float("-inf")),
                          "d": (0.0, -0.0, 0.1, 1.7976931348623157e308, 5e-324, float("inf"))}.items():
        for number in numbers:
            yield code, (number,)
    for text, values in [("?", (True,)), ("?", (False,)), ("c", (b"a",)), ("3s", (b"abcd",)), ("3s", (b"a",)), ("0s", (b"",)),
                         ("4p", (b"abcdef",)), ("4p", (b"a",)), ("1p", (b"a",)), ("300p", (b"x" * 255,)), ("hxB", (-2, 200)),
                         ("2h3sq", (1, -1, b"xyz", -5)), ("xx?xf", (True, -1.25))]:
        yield text, values


def refused():
    """Texts and values that struct raises for."""
    for code, bits in {"b": 8, "h": 16, "i": 32, "l": 32, "q": 64}.items():
        yield from ((code, 2 ** (bits - 1)), (code, -2 ** (bits - 1) - 1), (code.upper(), -1), (code.upper(), 2 ** bits))
    yield from (("e", 65520.0), ("e", -1e9), ("f", 3.5e38))


print("//! What CPython, NumPy and ctypes say of format texts, on x86-64 Linux.")
print("//!")
print("//! CPython %s, NumPy %s. Written by `crates/extbuf-format/tests/python/facts.py`." % (platform.python_version(), numpy.__version__))
print()
print("/// `struct.calcsize` of a text; `None` where it raises.")
print("#[rustfmt::skip]\npub const CALCSIZE: &[(&str, Option<usize>)] = &[")
for text in lines(STRUCT):
    print("    (%s, %s)," % (rust(text), option(calcsize(text))))
print("];\n")
print("/// Offset and size of each field of a dtype.\npub type Fields = &'static [(usize, usize)];\n")
print("/// Itemsize and fields of NumPy's `_dtype_from_pep3118`; `None` where it raises.")
print("#[rustfmt::skip]\npub const NUMPY: &[(&str, Option<usize>, Fields)] = &[")
for text in lines(NUMPY):
    dt = dtype(text)
    print("    (%s, %s, %s)," % (rust(text), option(dt and dt.itemsize), fields(dt)))
print("];\n")
print("/// Exporter, type, format and itemsize of a real `memoryview`, and the dialect that it is written in.")
print("#[rustfmt::skip]\npub const EXPORTS: &[(&str, &str, &str, usize, &str)] = &[")
for who, what, text, size, dialect in exports():
    print("    (%s, %s, %s, %d, %s)," % (rust(who), rust(what), rust(text), size, rust(dialect)))
print("];")
print("\n/// Text, the values in big-endian and in little-endian standard form, and the values: integers, `f` and the bits of a float,")
print("/// `b` and bytes, `?` and a bool, a space between them.")
print("#[rustfmt::skip]\npub const VECTORS: &[(&str, &str, &str, &str)] = &[")
for text, values in vectors():
    big, little = struct.pack(">" + text, *values), struct.pack("<" + text, *values)
    back = struct.unpack(">" + text, big)
    print("    (%s, \"%s\", \"%s\", %s)," % (rust(text), big.hex(), little.hex(), rust(" ".join(map(shown, back)))))
print("];\n")
print("/// Text and value, as in [`VECTORS`], that `struct.pack` raises for.")
print("#[rustfmt::skip]\npub const REFUSED: &[(&str, &str)] = &[")
for text, value in refused():
    try:
        struct.pack(">" + text, value)
    except (struct.error, OverflowError):
        if isinstance(value, float) or -2 ** 63 <= value < 2 ** 64:
            print("    (%s, %s)," % (rust(text), rust(shown(value))))
print("];")
