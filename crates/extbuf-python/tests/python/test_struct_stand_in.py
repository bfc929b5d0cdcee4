"""extbuf.struct against the interpreter's struct, and formats against both."""

import copy
import math
import pickle
import random
import re
import struct
import weakref

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import extbuf
from extbuf import Format
from extbuf import struct as ours

CODES = "xcbB?hHiIlLqQefdsp"
NATIVE = CODES + "nNP"

entry = st.tuples(st.one_of(st.just(""), st.integers(0, 12).map(str)), st.sampled_from(CODES)).map("".join)
native_entry = st.tuples(st.one_of(st.just(""), st.integers(0, 12).map(str)), st.sampled_from(NATIVE)).map("".join)
formats = st.one_of(
    st.tuples(st.sampled_from("<>=!"), st.lists(entry, max_size=6).map("".join)).map("".join),
    st.tuples(st.sampled_from(["", "@"]), st.lists(native_entry, max_size=6).map("".join)).map("".join),
)


# Strings of no length are what the struct module gets wrong: 3.11 and 3.12 fail to read them, and 3.13 writes their
# length byte past the end.
NO_LENGTH = re.compile(r"(?<!\d)0+p")


def same(a, b):
    return len(a) == len(b) and all(
        x == y or (isinstance(x, float) and math.isnan(x) and math.isnan(y)) for x, y in zip(a, b)
    )


@settings(max_examples=400, deadline=None)
@given(formats, st.randoms())
def test_sizes_and_values_are_struct_s(text, rng):
    assume(not NO_LENGTH.search(text))
    size = struct.calcsize(text)
    assert ours.calcsize(text) == size
    data = rng.randbytes(size)
    values = struct.unpack(text, data)
    assert same(ours.unpack(text, data), values)
    assert ours.pack(text, *values) == struct.pack(text, *values)
    three = data + bytes(size) + data
    assert same(ours.unpack_from(text, three, size), struct.unpack_from(text, three, size))
    if size:
        for one, other in zip(ours.iter_unpack(text, three), struct.iter_unpack(text, three), strict=True):
            assert same(one, other)
    target, wanted = bytearray(b"\xff" * (size + 3)), bytearray(b"\xff" * (size + 3))
    ours.pack_into(text, target, 2, *values)
    struct.pack_into(text, wanted, 2, *values)
    assert target == wanted


VALUES = st.one_of(
    st.integers(-(2**70), 2**70), st.floats(), st.booleans(), st.binary(max_size=4), st.none(), st.text(max_size=2)
)


@settings(max_examples=400, deadline=None)
@given(formats, st.lists(VALUES, max_size=6))
def test_what_struct_refuses_is_refused_with_its_exception(text, values):
    def outcome(module):
        try:
            return module.pack(text, *values)
        except (struct.error, OverflowError, TypeError, ValueError) as error:
            return type(error)

    assert outcome(ours) == outcome(struct)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=CODES + "<>=@! 0123ZTXt{}:,()k\0\n", max_size=8))
def test_what_is_no_format_is_none_here_either(text):
    def size(module):
        try:
            return module.calcsize(text)
        except struct.error:
            return None

    wanted = size(struct)
    got = size(ours)
    # The complex codes of newer versions are understood on every one.
    assert got == wanted or (wanted is None and set(text) & set("FDZ"))


def test_strings_of_no_length_touch_nothing():
    assert ours.unpack("0p", b"") == (b"",)
    target = bytearray(b"\xff" * 4)
    ours.pack_into("<h0p", target, 0, 1, b"abc")
    assert target == b"\1\0\xff\xff"


def test_messages_of_pack_into_name_the_numbers():
    with pytest.raises(struct.error, match=r"at least 6 bytes for packing 1 bytes at offset 5 \(actual buffer size is 1\)"):
        ours.pack_into("b", bytearray(1), 5, 1)
    with pytest.raises(struct.error, match="pack expected 2 items for packing"):
        ours.pack("bb", 1)


def test_a_wrong_value_leaves_the_buffer_as_it_was():
    target = bytearray(b"\xff" * 8)
    with pytest.raises(struct.error):
        ours.pack_into("<iB", target, 0, 1, 256)
    assert target == b"\xff" * 8


def test_errors_are_caught_as_struct_s_own():
    assert ours.error is struct.error


def test_structs_have_the_attributes_of_structs():
    record = ours.Struct("<hB")
    assert (record.format, record.size) == ("<hB", 3)
    assert record.unpack(b"\1\0\2") == (1, 2)
    assert repr(record) == "Struct('<hB')"
    assert weakref.ref(record)() is record
    with pytest.raises(TypeError):
        pickle.dumps(record)
    with pytest.raises(TypeError):
        copy.copy(record)


def test_a_buffer_is_held_while_it_is_unpacked():
    data = bytearray(range(12))
    items = ours.iter_unpack("<i", data)
    next(items)
    with pytest.raises(BufferError):
        data.append(1)
    assert len(list(items)) == 2
    del items
    data.append(1)


def test_memory_that_changes_is_read_when_asked():
    data = bytearray(4)
    items = ours.iter_unpack("<H", data)
    assert next(items) == (0,)
    data[2] = 7
    assert next(items) == (7,)


@settings(max_examples=200, deadline=None)
@given(formats)
def test_a_format_of_struct_means_the_same_to_format(text):
    parsed = Format(text, "struct")
    assert parsed.itemsize == struct.calcsize(text)
    assert Format(parsed.text) == parsed
    assert hash(Format(parsed.text)) == hash(parsed)
    assert pickle.loads(pickle.dumps(parsed)) == parsed
    if parsed.itemsize and not NO_LENGTH.search(text):
        data = random.Random(1).randbytes(parsed.itemsize)
        value = parsed.unpack(data)
        wanted = struct.unpack(text, data)
        if not isinstance(value, tuple):
            value = (value,)
        assert same(value, wanted)


def test_records_are_named_tuples():
    pixel = Format("T{B:r:B:g:B:b:}")
    red = pixel.unpack(b"\xff\0\0")
    assert (red.r, red.g, red.b) == (255, 0, 0) == red
    assert type(red) is type(pixel.unpack(b"\0\0\0"))
    assert pickle.loads(pickle.dumps(red)) == red
    assert pixel.pack(red) == pixel.pack({"r": 255, "g": 0, "b": 0}) == b"\xff\0\0"


def test_names_that_are_no_identifiers_are_positions():
    odd = Format("T{B:a b:B:class:B:ok:}").unpack(b"\1\2\3")
    assert odd._fields == ("_0", "_1", "ok") and odd.ok == 3


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("e", 1.5),
        ("[bfloat16]", -2.0),
        ("g", 0.1),
        ("Zf", 1 + 2j),
        (">Zd", 0.1 - 3j),
        ("3w", "hé"),
        ("4u", "a𝄞"),
        ("5t3t", (31, 5)),
        ("(2,3)h", [[1, 2, 3], [4, 5, 6]]),
        ("T{i:a:(2)T{B:b:e:c:}:d:}", (1, [(2, 0.5), (3, -0.5)])),
        ("5p", b"abc"),
        ("?", True),
        ("P", 2**64 - 1),
        ("&i", 4096),
    ],
)
def test_values_of_every_kind_go_there_and_back(text, value):
    parsed = Format(text)
    data = parsed.pack(value)
    assert len(data) == parsed.itemsize
    assert parsed.unpack(data) == value
    assert list(parsed.iter_unpack(data * 3)) == [value] * 3
    target = bytearray(parsed.itemsize + 4)
    parsed.pack_into(target, value, 4)
    assert parsed.unpack_from(target, 4) == value == parsed.unpack_from(target, -parsed.itemsize)


@pytest.mark.parametrize(
    ("text", "value", "error", "says"),
    [
        ("B", 256, ValueError, "0 <= number <= 255"),
        ("h", "x", TypeError, "int"),
        ("T{i:a:(2)B:b:}", (1, [2, 300]), ValueError, r"b\[1\]"),
        ("T{i:a:}", {"b": 1}, ValueError, '"a"'),
        ("(2)i", [1], ValueError, "2 values"),
        ("T{i:a:}", 3, TypeError, "sequence"),
        ("c", b"ab", ValueError, "one byte"),
        ("<e", 1e9, ValueError, "too large"),
        ("O", 1, TypeError, "objects"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(text, value, error, says):
    with pytest.raises(error, match=says):
        Format(text).pack(value)


def test_a_text_that_is_no_format_shows_where():
    with pytest.raises(ValueError, match=r"\^\^"):
        Format("T{i:a:Zi:b:}")
    with pytest.raises(ValueError, match="dialect"):
        Format("i", "perl")


def test_formats_speak_every_dialect():
    parsed = Format("T{B:tag:d:value:}")
    assert parsed.itemsize == 16 and parsed.alignment == 8
    assert [(f.name, f.offset, f.format.text) for f in parsed.fields] == [("tag", 0, "B"), ("value", 8, "d")]
    assert parsed.field("value") == (8, Format("d"))
    assert parsed.to_text("numpy") == "T{B:tag:d:value:}"
    with pytest.raises(ValueError, match="struct"):
        parsed.to_text("struct")
    assert Format.dialects == ("pep3118", "struct", "numpy", "ctypes", "cython")
    assert Format("qb").itemsize == 9 and Format("qb", "numpy").itemsize == 16
    assert Format("(2,3)d").shape == (2, 3) and Format("(2,3)d").base == Format("d")
    assert Format("<l") == Format("<i") and Format("<l") != Format("l")
    assert "padding" in parsed.explain() and "<svg" in parsed._repr_html_()
    assert extbuf.explain("T{B:tag:d:value:}") == parsed.explain()


@pytest.mark.parametrize("text", ["e", "<e", "<f", ">f", "d", "<d"])
@pytest.mark.parametrize("value", [65520, -65520, 65520.0, 10**39, -(10**400), 1e300])
def test_a_number_too_large_for_a_float_is_refused_as_an_integer_or_as_a_float(text, value):
    def outcome(module):
        try:
            return module.pack(text, value)
        except (struct.error, OverflowError) as error:
            return type(error), str(error)

    assert outcome(ours) == outcome(struct)
