"""Ways out of a view and into one, beside the buffer protocol: rows, DLPack, the array interface, pickles, copies."""

import array
import copy
import ctypes
import gc
import pickle
import sys
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import extbuf
from extbuf import View


class BeforeVersion1:
    """An exporter that knows nothing of the keywords of DLPack 1."""

    def __init__(self, array):
        self.array = array

    def __dlpack__(self, stream=None):
        return self.array.__dlpack__()

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


# Rows.


def test_rows_are_lent_and_not_copied():
    rows = [bytearray(b"abcdef"), b"ghijkl", array.array("B", b"mnopqr"), np.frombuffer(b"stuvwx", "u1")]
    view = extbuf.rows(rows)
    assert view.shape == (4, 6) and view.readonly
    assert view.tobytes() == b"abcdefghijklmnopqrstuvwx"
    rows[0][1] = ord("!")
    assert view[0, 1] == ord("!")
    assert view[::-2, 1:4].tobytes() == b"tuvhij"
    with pytest.raises(BufferError):
        rows[0].append(1)
    del view
    rows[0].append(1)


def test_rows_are_lent_on_with_suboffsets():
    view = extbuf.rows([b"abcdef", b"ghijkl"])
    theirs = memoryview(view[:, 2:])
    assert theirs.suboffsets == (2, -1) and theirs.tobytes() == b"cdefijkl"
    assert bytes(theirs) == b"cdefijkl"
    with pytest.raises(BufferError):
        np.asarray(view)
    assert view.__array__().tolist() == [list(b"abcdef"), list(b"ghijkl")]
    with pytest.raises(ValueError):
        view.__array__(copy=False)


def test_rows_reach_a_consumer_of_cpython_s_own_tests():
    testbuffer = pytest.importorskip("_testbuffer")
    view = extbuf.rows([bytes(range(k, k + 12)) for k in range(0, 36, 12)], format="<h")
    theirs = testbuffer.ndarray(view, getbuf=testbuffer.PyBUF_FULL_RO)
    assert theirs.tolist() == view.tolist()
    assert theirs.suboffsets == (0, -1)
    assert testbuffer.py_buffer_to_contiguous(view, "C", testbuffer.PyBUF_FULL_RO) == view.tobytes()
    assert testbuffer.py_buffer_to_contiguous(view, "F", testbuffer.PyBUF_FULL_RO) == view.tobytes("F")
    assert View(theirs) == view


def test_rows_of_records_behind_a_header():
    blocks = [bytearray(b"HEAD" + bytes([k, 0, k + 1, 0, 99])) for k in (1, 5)]
    view = extbuf.rows(blocks, offset=4, format="<H", shape=(2,))
    assert view.tolist() == [[1, 2], [5, 6]]
    view[1, 0] = 0x0102
    assert blocks[1][4:6] == b"\2\1"


def test_rows_of_more_axes_share_their_strides():
    planes = [np.arange(24).reshape(4, 6)[::2, ::-1] + 100 * k for k in range(3)]
    view = extbuf.rows(planes)
    assert view.shape == (3, 2, 6)
    assert view.tolist() == [plane.tolist() for plane in planes]
    assert view.permute(0, 2, 1).tolist() == [plane.T.tolist() for plane in planes]


def test_a_row_that_is_given_twice_is_for_reading():
    one = bytearray(4)
    assert extbuf.rows([one, one]).readonly
    assert not extbuf.rows([one, bytearray(4)]).readonly


@pytest.mark.parametrize(
    ("rows", "keywords", "error", "says"),
    [
        ([], {}, ValueError, "no rows"),
        ([b"ab", b"abc"], {}, ValueError, r"row 1 has the shape \(3,\) and row 0 the shape \(2,\)"),
        ([b"ab", np.zeros(2, "i1")], {}, ValueError, "format"),
        ([np.zeros(2), np.zeros(4)[::2]], {}, ValueError, "strides"),
        ([b"abc"], {"offset": 4}, ValueError, "4 before the first item"),
        ([b"abc"], {"offset": -1}, ValueError, "before the rows"),
        ([b"abc"], {"format": "h"}, ValueError, "whole number"),
        ([b"abc"], {"shape": (4,)}, ValueError, "4 of items"),
        ([np.zeros(4)[::2]], {"format": "B"}, ValueError, "not contiguous"),
        ([b"abcdefgh"], {"format": "O"}, TypeError, "references"),
        ([3], {}, TypeError, "bytes-like"),
    ],
)
def test_rows_that_are_none_are_refused_with_the_reason(rows, keywords, error, says):
    with pytest.raises(error, match=says):
        extbuf.rows(rows, **keywords)


def test_rows_in_a_cycle_are_collected():
    class Row(bytearray):
        pass

    row = Row(8)
    row.view = extbuf.rows([row, bytearray(8)])
    import weakref

    gone = weakref.ref(row)
    del row
    gc.collect()
    assert gone() is None


# DLPack.

DTYPES = ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16", "?"]


@pytest.mark.parametrize("dtype", DTYPES)
def test_dlpack_there_and_back(dtype):
    numbers = np.array([[0, 1, 2], [3, 4, 5]]).astype(dtype)
    for part in (numbers, numbers.T, numbers[::-1, ::2], numbers[1], numbers[:0], numbers[0, 0]):
        part = np.asarray(part)
        out = np.from_dlpack(View(part))
        assert out.dtype == part.dtype and out.tolist() == part.tolist()
        assert out.size == 0 or np.shares_memory(out, part)
        taken = extbuf.from_dlpack(part)
        assert taken.tolist() == part.tolist() and taken.shape == part.shape


def test_dlpack_before_version_1_is_for_reading():
    numbers = np.arange(4)
    assert extbuf.from_dlpack(BeforeVersion1(numbers)).readonly
    assert not extbuf.from_dlpack(numbers).readonly
    fixed = np.arange(4)
    fixed.flags.writeable = False
    assert extbuf.from_dlpack(fixed).readonly
    assert not np.from_dlpack(View(bytes(4))).flags.writeable


def test_dlpack_copies_when_asked():
    numbers = np.arange(4)
    mine = extbuf.from_dlpack(numbers, copy=True)
    mine[0] = 9
    theirs = np.from_dlpack(View(numbers), copy=True)
    theirs[1] = 9
    assert numbers.tolist() == [0, 1, 2, 3]


def test_dlpack_gives_everything_back():
    numbers = np.arange(1000.0)
    before = sys.getrefcount(numbers)
    for _ in range(50):
        np.from_dlpack(View(numbers))
        extbuf.from_dlpack(numbers)
        # Nobody takes these out.
        View(numbers).__dlpack__()
        View(numbers).__dlpack__(max_version=(1, 0))
        numbers.__dlpack__()
    gc.collect()
    assert sys.getrefcount(numbers) == before
    data = bytearray(8)
    out = np.from_dlpack(View(data))
    with pytest.raises(BufferError):
        data.append(1)
    del out
    data.append(1)


def test_a_capsule_is_emptied_once():
    class Once:
        def __init__(self):
            self.capsule = View(bytearray(4)).__dlpack__(max_version=(1, 0))

        def __dlpack__(self, **_):
            return self.capsule

        def __dlpack_device__(self):
            return (1, 0)

    once = Once()
    assert extbuf.from_dlpack(once).shape == (4,)
    with pytest.raises(BufferError, match="taken"):
        extbuf.from_dlpack(once)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: View(np.zeros(3, ">f4")), "byte order"),
        (lambda: View(b"abc"), "reading only"),
        (lambda: View(np.zeros(3, [("a", "i4"), ("b", "i2")])).field("a"), "whole number of items"),
        (lambda: View(np.zeros(3, [("a", "i4")])), "one scalar type"),
        (lambda: extbuf.rows([bytearray(3)]), "pointers"),
        (lambda: View(np.zeros(3, "g")), "no type"),
        (lambda: View(np.zeros(3, "S3")), "no type"),
    ],
)
def test_what_dlpack_cannot_say_is_refused_with_the_reason(make, says):
    with pytest.raises(BufferError, match=says):
        make().__dlpack__()


def test_other_devices_and_streams_are_refused():
    view = View(bytearray(4))
    assert view.__dlpack_device__() == (1, 0)
    with pytest.raises(BufferError, match="device"):
        view.__dlpack__(dl_device=(2, 0))
    with pytest.raises(BufferError, match="streams"):
        view.__dlpack__(stream=1)


def test_bfloat16_travels_by_dlpack_alone():
    halves = View(bytearray(b"\x80\x3f\x00\xc0")).cast("[bfloat16]")
    assert halves.tolist() == [1.0, -2.0]
    assert extbuf.from_dlpack(halves).format == "[bfloat16]"
    assert extbuf.from_dlpack(halves).tolist() == [1.0, -2.0]


# NumPy's array interface.


class ByInterface:
    def __init__(self, view):
        self.view = view
        self.__array_interface__ = view.__array_interface__


@pytest.mark.parametrize(
    "part",
    [
        np.arange(12.0).reshape(3, 4),
        np.arange(12.0).reshape(3, 4)[::-1, 1::2],
        np.arange(12, dtype=">i2"),
        np.array(3 + 4j),
        np.array([b"ab", b"cde"]),
        np.array(["ab", "cde"]),
        np.zeros(2, [("a", "i4"), ("b", ">f8", (2, 3)), ("c", "S3")]),
        np.zeros((0, 3)),
    ],
    ids=str,
)
def test_the_array_interface_says_the_same_memory(part):
    view = View(part)
    out = np.asarray(ByInterface(view))
    assert out.dtype == part.dtype and out.shape == part.shape
    assert out.tobytes() == part.tobytes()
    assert part.size == 0 or np.shares_memory(out, part)
    again = view.__array__()
    assert again.dtype == part.dtype and again.tobytes() == part.tobytes()


def test_a_view_with_its_address_given_away_is_not_released():
    view = View(bytearray(4))
    view.__array_interface__
    with pytest.raises(BufferError):
        view.release()


def test_pointers_have_no_array_interface():
    assert not hasattr(extbuf.rows([b"ab", b"cd"]), "__array_interface__")


# Pickles.


def views():
    numbers = np.arange(24, dtype=">i4").reshape(2, 3, 4)
    record = np.zeros(3, np.dtype([("a", "i1"), ("b", "f8")], align=True))
    record["a"], record["b"] = [1, 2, 3], [0.5, 1.5, 2.5]
    point = type("Point", (ctypes.Structure,), {"_fields_": [("x", ctypes.c_short), ("y", ctypes.c_double)]})
    yield View(numbers)
    yield View(numbers).T
    yield View(numbers)[::-1, :, ::2]
    yield View(record)
    yield View((point * 2)())
    yield View(b"abc")
    yield View(bytearray(b"abc")).cast("B", (3, 1))
    yield extbuf.rows([b"abc", b"def"])[:, 1:]
    yield View(np.float32(3))
    yield View(np.zeros((0, 3)))


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_come_back_equal(protocol):
    for view in views():
        again = pickle.loads(pickle.dumps(view, protocol=protocol))
        assert again == view and again.shape == view.shape and again.format == view.format
        assert again.readonly == view.readonly
        assert (again.c_contiguous or again.f_contiguous) and again.itemsize == view.itemsize


def test_the_memory_travels_outside_the_pickle():
    numbers = np.arange(30000.0).reshape(100, 300)
    for part in (View(numbers), View(numbers).T):
        outside = []
        data = pickle.dumps(part, protocol=5, buffer_callback=outside.append)
        assert len(data) < 300 and len(outside) == 1
        assert np.shares_memory(np.frombuffer(outside[0].raw()), numbers)
        again = pickle.loads(data, buffers=outside)
        assert again == part and np.shares_memory(np.asarray(again), numbers)


def test_objects_are_not_pickled():
    with pytest.raises(TypeError, match="references"):
        pickle.dumps(View(np.array([1, "a"], object)))


def test_a_pickle_that_lies_is_refused():
    restore = View._restore
    with pytest.raises(ValueError, match="bytes"):
        restore(b"abc", b"B", 1, "pep3118", (4,), False, True)
    with pytest.raises(TypeError, match="references"):
        restore(bytes(8), b"O", 8, "numpy", (1,), False, True)
    with pytest.raises(ValueError):
        restore(b"abc", b"B", 1, "perl", (3,), False, True)


def test_copies_of_views_are_views():
    numbers = np.arange(6).reshape(2, 3)
    assert copy.deepcopy(View(numbers)) == View(numbers)


# copy and explain.


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 40), st.integers(-3, 3).filter(bool), st.integers(-3, 3).filter(bool))
def test_copy_moves_between_any_two(length, there, back):
    source = np.arange(3 * length, dtype="u2")[::there][:length]
    target = np.zeros(3 * length, "u2")
    part = target[::back][: len(source)]
    extbuf.copy(part, source, threads=2)
    assert (part == source).all()


def test_copy_overlaps_and_runs_beside_python():
    numbers = np.arange(10)
    extbuf.copy(numbers[1:], numbers[:-1])
    assert numbers.tolist() == [0, 0, 1, 2, 3, 4, 5, 6, 7, 8]
    big, out = np.ones((1000, 1000)), np.zeros((1000, 1000))
    threads = [threading.Thread(target=extbuf.copy, args=(out, big.T)) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert (out == 1).all()
    with pytest.raises(TypeError):
        extbuf.copy(b"abc", b"abc")
    with pytest.raises(ValueError):
        extbuf.copy(bytearray(3), np.zeros(3))


def test_explain_tells_of_formats_and_of_memory():
    assert "16-bit" in extbuf.explain("<h")
    text = extbuf.explain(extbuf.rows([b"abc", b"def"])[:, 1:])
    assert "after the load: offset +1" in text and "suboffsets (1, -1)" in text
    text = extbuf.explain(np.zeros((2, 3), "f4")[:, ::-1])
    assert "lent by a ndarray" in text and "(+12, -4)" in text
    with pytest.raises(TypeError):
        extbuf.explain(3)
