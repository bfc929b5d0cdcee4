"""What `View` does beyond memoryview, against NumPy and against CPython's own test helper for pointers."""

import ctypes
import itertools
import math
import struct
from collections.abc import Sequence

import numpy as np
import pytest

from extbuf import Format, View

testbuffer = pytest.importorskip("_testbuffer", reason="the interpreter came without its test helpers")


def indirect(shape=(2, 3, 4), fmt="h"):
    """Rows behind pointers, from the helper that CPython checks its own address rule with."""
    items = list(range(math.prod(shape)))
    return testbuffer.ndarray(items, shape=list(shape), format=fmt, flags=testbuffer.ND_PIL | testbuffer.ND_WRITABLE)


def grid(shape=(2, 3, 4), dtype="<i2"):
    return np.arange(math.prod(shape), dtype=dtype).reshape(shape)


KEYS = [
    (),
    (Ellipsis,),
    (0,),
    (-1, 2),
    (1, slice(None), 3),
    (slice(None, None, -1),),
    (slice(1, None), slice(None, None, -2), slice(3, 0, -1)),
    (Ellipsis, 1),
    (0, Ellipsis, slice(1, 3)),
    (None, 0, None, Ellipsis, None),
    (slice(5, 9),),
    (slice(None), slice(2, 1)),
    (1, Ellipsis, 2, 3),
    (slice(None), None, slice(1, 2), slice(-100, 100, 3)),
]


@pytest.mark.parametrize("key", KEYS, ids=repr)
@pytest.mark.parametrize("source", [grid, lambda: grid().T.copy().T, indirect], ids=["c", "f", "indirect"])
def test_slices_of_any_layout_are_those_of_numpy(source, key):
    memory, expected = source(), grid()
    part, wanted = View(memory)[key], expected[key]
    if isinstance(part, int):
        assert part == wanted
        return
    assert part.shape == np.shape(wanted)
    assert part.tolist() == wanted.tolist()
    assert part.tobytes() == wanted.tobytes()
    assert part.tobytes("F") == wanted.tobytes("F")
    assert part == np.array(wanted)
    assert View(memory)[key].copy("F").tolist() == wanted.tolist()


@pytest.mark.parametrize("key", KEYS, ids=repr)
@pytest.mark.parametrize("source", [grid, indirect], ids=["c", "indirect"])
def test_assignments_broadcast_as_in_numpy(source, key):
    memory, expected = source(), grid()
    view = View(memory)
    target = expected[key]
    if np.ndim(target) == 0 and Ellipsis not in key:
        view[key] = -7
        expected[key] = -7
    else:
        for shape in {target.shape, target.shape[1:], (1,) * target.ndim, ()}:
            values = np.arange(100, 100 + math.prod(shape), dtype="<i2").reshape(shape)
            if shape == () and target.ndim == 0:
                view[key] = int(values)
            else:
                view[key] = values
            expected[key] = values
            assert view.tolist() == expected.tolist()
    assert view.tolist() == expected.tolist()


def test_overlapping_assignment_is_as_if_the_source_were_read_first():
    memory = bytearray(range(16))
    view = View(memory).reshape(4, 4)
    view[:] = view.T
    assert view.tolist() == np.arange(16).reshape(4, 4).T.tolist()
    view[1:] = view[:-1]
    assert view[1].tolist() == view[0].tolist()


@pytest.mark.parametrize("axes", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("source", [grid, indirect], ids=["c", "indirect"])
def test_axes_are_permuted_also_across_pointers(source, axes):
    view, expected = View(source()), grid()
    assert view.permute(*axes).tolist() == expected.transpose(axes).tolist()
    assert view.permute(axes)[::-1, 1:].tobytes() == expected.transpose(axes)[::-1, 1:].tobytes()
    assert view.T.T == expected


@pytest.mark.parametrize("source", [grid, indirect], ids=["c", "indirect"])
def test_broadcast_diagonal_windows_and_reshape(source):
    view, expected = View(source()), grid()
    wide = view[:, None].broadcast_to(5, 2, 6, 3, 4)
    assert wide.tolist() == np.broadcast_to(expected[:, None], (5, 2, 6, 3, 4)).tolist()
    assert wide.readonly
    for offset in (-1, 0, 2):
        assert view.diagonal(offset, 1, 2).tolist() == expected.diagonal(offset, 1, 2).tolist()
        assert view.diagonal(offset).tolist() == expected.diagonal(offset).tolist()
    windows = view.windows(2)
    assert windows.tolist() == np.lib.stride_tricks.sliding_window_view(expected, 2, axis=2).tolist()
    assert windows.readonly
    with pytest.raises(TypeError):
        windows[0, 0, 0, 0] = 1
    assert view.copy().reshape(4, -1).tolist() == expected.reshape(4, 6).tolist()
    assert view.reshape(2, 12).tolist() == expected.reshape(2, 12).tolist()


def test_reshape_says_where_it_would_have_to_copy():
    view = View(bytes(24)).reshape(4, 6)
    assert view.reshape((2, 2, 6)).shape == (2, 2, 6)
    with pytest.raises(ValueError, match="ax"):
        view.T.reshape(24)
    with pytest.raises(ValueError, match="24"):
        view.reshape(5, -1)
    with pytest.raises(ValueError, match="-2"):
        view.reshape(-2, -12)


@pytest.mark.parametrize(
    "dtype",
    [
        "?", "i1", "u1", "<i2", ">i2", "<u4", ">u4", "<i8", ">u8", "<f2", ">f2", "<f4", ">f4", "<f8", ">f8",
        "<c8", ">c8", "<c16", ">c16", "S3", "<U4", ">U4",
        [("x", "<i4"), ("y", "<f8")],
        [("x", ">i2"), ("at", "<f4", (2, 3))],
        [("in", [("a", "u1"), ("b", "<u2")]), ("z", "<c8")],
        np.dtype([("x", "i1"), ("y", "i4"), ("z", "f8")], align=True),
        np.dtype({"names": ["b", "a"], "formats": ["<i4", "<i2"], "offsets": [8, 0], "itemsize": 24})[["b"]],
    ],
    ids=str,
)  # fmt: skip
def test_items_of_every_dtype_are_read(dtype):
    memory = np.zeros((2, 3), dtype=dtype)
    memory.view("u1")[...] = 0
    raw = np.frombuffer(memory, dtype="u1").copy()
    raw[:] = np.arange(len(raw)) % 7 * (memory.dtype.kind not in "U?")
    if memory.dtype.kind == "?":
        raw[:] = np.arange(len(raw)) % 2
    memory = raw.view(memory.dtype).reshape(2, 3)
    if memory.dtype.kind == "U":
        memory[:] = [["a", "", "\U0001f40d"], ["ab", "abcd", "é"]]

    def same(ours, theirs):
        if isinstance(theirs, (tuple, list)):
            return len(ours) == len(theirs) and all(map(same, ours, theirs))
        if isinstance(theirs, np.ndarray):
            return same(ours, theirs.tolist())
        if isinstance(theirs, bytes):  # NumPy strips zeros at the end
            return ours.rstrip(b"\0") == theirs.rstrip(b"\0")
        if isinstance(theirs, float) and math.isnan(theirs):
            return math.isnan(ours)
        return ours == theirs

    view = View(memory)
    assert view.itemsize == memory.itemsize
    for index in np.ndindex(2, 3):
        assert same(view[index], memory[index].item()), (view[index], memory[index].item())
    assert view.tobytes() == memory.tobytes()
    assert view == view.copy("F")


def test_values_are_written_in_every_format():
    cases = {
        "e": [0.0, -1.5, 65504.0], "<f": [0.5], ">d": [1e300], "Zf": [1 + 2j], ">Zd": [-1j, 2.5],
        ">q": [-(2**63), 2**63 - 1], "Q": [2**64 - 1], "?": [True, False], "c": [b"x"], "5s": [b"abc\0\0"],
        "T{<h:x:>d:y:}": [(1, 2.5)], "(2,3)H": [[[1, 2, 3], [4, 5, 6]]], "hB": [(1, 2)], "4w": ["héé🐍"],
        "P": [12345], "n": [-5], "T{(2)T{b:a:b:b:}:pair:}": [([(1, 2), (3, 4)],)],
    }  # fmt: skip
    for text, values in cases.items():
        size = Format(text).itemsize
        view = View(bytearray(3 * size)).cast(text)
        for value in values:
            view[1] = value
            assert view[1] == value, text
            assert view[0] == View(bytes(size)).cast(text)[0]
            assert view[1:2].tobytes() == view.tobytes()[size : 2 * size]


def test_records_are_named_tuples_and_take_dictionaries():
    view = View(bytearray(24)).cast("T{<i:id:<d:weight:}")
    assert view.shape == (2,)
    view[0] = {"id": 7, "weight": 0.5}
    view[1] = (8, -1)
    assert (view[0].id, view[1].weight) == (7, -1.0)
    assert view.field("weight").tolist() == [0.5, -1.0]
    view.field("id")[:] = struct.pack("<ii", 1, 2) and View(struct.pack("<ii", 1, 2)).cast("<i")
    assert [record.id for record in view] == [1, 2]
    with pytest.raises(ValueError):
        view[0] = {"id": 1}
    with pytest.raises(TypeError):
        view[0] = 5


def test_equality_is_by_value():
    ints, floats = View(np.arange(4, dtype=">i2")), View(np.arange(4, dtype="<f4"))
    assert ints == floats
    assert ints[::-1] != floats
    assert View(np.array([1 + 0j, 2])) == View(np.array([1, 2]))
    nan = View(np.array([math.nan]))
    assert nan != nan[:]
    assert View(np.array([0.0])) == View(np.array([-0.0]))
    record = np.array([(1, 2.0)], dtype=[("a", "<i4"), ("b", "<f8")])
    other = record.astype([("a", ">i8"), ("b", ">f4")])
    assert View(record) == View(other)
    assert View(b"ab").cast("2s") == View(b"ab").cast("2s")
    assert View(b"abc") != "abc"
    assert View(b"abc") != View(b"abcd")


def test_casts_between_any_formats_and_shapes():
    memory = grid((4, 6), "<u4")
    view = View(memory)
    assert view.cast("<H", (4, 6, 2)).tolist() == memory.view("<u2").reshape(4, 6, 2).tolist()
    assert view.cast(">d", (12,)).tobytes() == memory.tobytes()
    assert view.cast("T{<H:a:<H:b:}", [2, 12])[0, 1] == (1, 0)
    columns = view[:, ::2]
    assert columns.cast("<f").shape == (4, 3)
    assert columns.cast(">I").tolist() == memory.byteswap()[:, ::2].tolist()
    assert view[::2].cast("<H").tolist() == memory[::2].view("<u2").tolist()
    assert View(indirect((2, 4), "h")).cast("B").tolist() == grid((2, 4)).view("u1").tolist()
    with pytest.raises(TypeError):
        columns.cast("B")
    with pytest.raises(TypeError):
        view.cast("<d", (5,))
    assert view.cast(Format("<i"))[23] == 23


def test_contiguous_copies_say_what_they_are():
    view = View(grid())
    assert view.as_contiguous().obj is view.obj
    turned = view.T
    copied = turned.as_contiguous(threads=1)
    assert copied.obj is None and copied.c_contiguous and copied == turned
    assert turned.as_contiguous("F").obj is view.obj
    assert turned.copy("A").f_contiguous
    assert not copied.readonly
    copied[0, 0, 0] = 99
    assert view[0, 0, 0] == 0
    with pytest.raises(ValueError, match="order"):
        view.copy("K")


def test_copy_from_broadcasts_and_checks():
    target = View(bytearray(12)).reshape(3, 4)
    target.copy_from(b"abcd")
    assert target.tobytes() == b"abcd" * 3
    target.copy_from(View(indirect((3, 4), "B")), threads=2)
    assert target.tolist() == np.arange(12).reshape(3, 4).tolist()
    with pytest.raises(ValueError):
        target.copy_from(b"abc")
    with pytest.raises(ValueError, match="do not mean"):
        target.copy_from(np.zeros((3, 4), "i1"))
    with pytest.raises(TypeError):
        View(bytes(4)).copy_from(bytes(4))


def test_large_copies_on_many_threads_are_right():
    memory = np.arange(1 << 22, dtype="u1").reshape(2048, 2048)
    view = View(memory)
    assert view.T.tobytes() == memory.T.tobytes()
    assert view[::-1, ::-1].copy(threads=2).tobytes() == memory[::-1, ::-1].tobytes()
    target = bytearray(1 << 22)
    View(target).reshape(2048, 2048).T.copy_from(view)
    assert bytes(target) == memory.T.tobytes()


def test_levels_suboffsets_and_derefoffs():
    view = View(indirect((2, 3), "B"))
    assert view.suboffsets == (0, -1)
    assert view.derefoffs == (None, 0)
    assert view.levels == ((0, (8, 0)), (0, (0, 1)))
    part = view[:, 1:]
    assert part.suboffsets == (1, -1)
    assert part.levels == ((0, (8, 0)), (1, (0, 1)))
    assert memoryview(part).suboffsets == (1, -1)
    assert part[1, 0] == memoryview(view)[1, 1] == 4
    turned = view.T
    assert turned.tolist() == [[0, 3], [1, 4], [2, 5]]
    with pytest.raises(ValueError, match="levels"):
        turned.suboffsets
    with pytest.raises(BufferError, match="told"):
        memoryview(turned)
    assert View(bytes(3)).suboffsets == View(bytes(3)).derefoffs == ()


@pytest.mark.parametrize("source", [grid, indirect], ids=["c", "indirect"])
def test_what_is_lent_on_is_what_is_seen(source):
    view = View(source())
    for part in (view, view[1:], view[:, ::-1], view[..., 1:3], view[1], view[::-1, 1:, ::2]):
        again = View(memoryview(part))
        assert again.tolist() == part.tolist()
        assert again.shape == part.shape
        assert again.levels == part.levels or again.levels[0][0] == 0
        if part.suboffsets == ():
            assert np.asarray(part).tolist() == part.tolist()
            assert bytes(part) == part.tobytes()


FLAGS = [w | f | s for w in (0, 1) for f in (0, 4) for s in (0x0, 0x8, 0x18, 0x38, 0x58, 0x98, 0x118)]


@pytest.mark.parametrize("flags", FLAGS, ids=hex)
@pytest.mark.parametrize(
    "layout",
    [
        lambda memory: memory,
        lambda memory: memory.T,
        lambda memory: memory[:, ::2],
        lambda memory: memory[::-1],
        lambda memory: memory[:0],
        lambda memory: memory[1, 1],
        lambda memory: memory[:1, :, 2:3],
    ],
)
def test_every_request_is_answered_as_memoryview_answers_it(layout, flags):
    for readonly in (False, True):
        memory = grid()
        memory.flags.writeable = not readonly
        ours, theirs = layout(View(memory)), memoryview(layout(memory))
        answers = []
        for exporter in (ours, theirs):
            try:
                answer = testbuffer.ndarray(exporter, getbuf=flags)
                shape = answer.shape, answer.strides, answer.format, answer.ndim, answer.itemsize, answer.nbytes
                answers.append((*shape, answer.readonly, answer.suboffsets))
            except BufferError:
                answers.append(BufferError)
            except TypeError as error:
                answers.append(type(error))
        if ours.ndim and 1 in ours.shape and answers[0] is not BufferError is not answers[1]:
            # NumPy writes new strides for axes of one entry; what follows from them is the same.
            answers = [answer[:1] + answer[2:] for answer in answers]
        assert answers[0] == answers[1]


def test_ctypes_objects_are_read():
    class Point(ctypes.BigEndianStructure):
        _fields_ = [("x", ctypes.c_int16), ("y", ctypes.c_int32)]

    class Line(ctypes.Structure):
        _fields_ = [("ends", ctypes.c_double * 2 * 3), ("tag", ctypes.c_char)]

    points = (Point * 3)(Point(1, 2), Point(3, 4), Point(5, 6))
    view = View(points)
    assert [(p.x, p.y) for p in view] == [(1, 2), (3, 4), (5, 6)]
    view[1] = (-1, -2)
    assert (points[1].x, points[1].y) == (-1, -2)
    assert view.field("y").tolist() == [2, -2, 6]
    line = Line()
    line.ends[2][1] = 0.5
    assert View(line)[()].ends[2][1] == 0.5
    assert View(ctypes.c_long(5))[()] == 5
    assert View((ctypes.c_int * 3 * 2)()).shape == (2, 3)


def test_numpy_reads_its_own_aligned_records_wrongly_and_we_do_not():
    # NumPy misreads what it exports of an aligned record inside an aligned record.
    inner = np.dtype([("a", "i1"), ("b", "i8")], align=True)
    outer = np.dtype([("y", inner), ("z", "i1")], align=True)
    memory = np.zeros(2, dtype=outer)
    memory["y"]["b"] = [11, 22]
    memory["z"] = [3, 4]
    view = View(memory)
    assert [record.y.b for record in view] == [11, 22]
    assert view.field("z").tolist() == [3, 4]
    assert view.field("y.b").tolist() == [11, 22]


def test_a_row_behind_a_pointer_is_plain_memory():
    view = View(indirect())
    row = view[1]
    assert row.suboffsets == () and row.strides == (8, 2) and row.c_contiguous
    assert np.asarray(row).tolist() == grid()[1].tolist()
    assert view[1, ::-1, 2].levels == ((20, (-8,)),)
    row[0, 0] = -5
    assert view[1, 0, 0] == -5


def test_bytes_without_a_type_have_no_values():
    view = View(np.zeros(2, dtype="V5"))
    assert (view.format, view.itemsize, view[0], view.tobytes()) == ("5x", 5, (), bytes(10))
    assert view == view.copy()


def test_objects_are_read_from_arrays_that_own_them():
    memory = np.array([[1, "two"], [None, (4,)]], dtype=object)
    view = View(memory)
    assert view.tolist() == memory.tolist()
    assert view[0, 1] is memory[0, 1]
    with pytest.raises(TypeError):
        view.copy()
    with pytest.raises(TypeError):
        view.cast("q")


def test_index_and_count():
    view = View(np.array([[3, 1], [1, 2]], dtype="<i2"))
    assert (view.count(1), view.count(1.0), view.count(9)) == (2, 2, 0)
    assert view.index(1) == (0, 1)
    flat = View(b"abcabc")
    assert flat.index(ord("b")) == 1
    assert flat.index(ord("b"), 2) == 4
    assert flat.index(ord("b"), -3, -1) == 4
    with pytest.raises(ValueError):
        flat.index(ord("b"), 2, 4)
    with pytest.raises(ValueError):
        view.index(7)


def test_a_picture_for_notebooks_and_a_line_for_the_prompt():
    view = View(grid())
    assert "<svg" in view._repr_html_()
    assert "'h'" in repr(view) and "(2, 3, 4)" in repr(view)
    assert "pointer" in repr(View(indirect()))
    view.release()
    assert "released" in repr(view)


def test_errors_name_what_is_wrong():
    view = View(bytearray(24)).reshape(2, 3, 4)
    for error, words, use in [
        (IndexError, "dimension 2", lambda: view[0, 3, 0]),
        (IndexError, "axis 1", lambda: view[0, 3]),
        (TypeError, "4 indices", lambda: view[0, 0, 0, 0]),
        (TypeError, "ellipsis", lambda: view[..., ...]),
        (TypeError, "'str'", lambda: view["x"]),
        (ValueError, "zero", lambda: view[::0]),
        (ValueError, "axis 3", lambda: view.permute(0, 1, 3)),
        (ValueError, "axis", lambda: view.broadcast_to(2, 2, 4)),
        (TypeError, "3 is needed|invalid type", lambda: view.__setitem__((0, 0, 0), "x")),
        (ValueError, "invalid value", lambda: view.__setitem__((0, 0, 0), 256)),
        (TypeError, "bytes-like", lambda: View({})),
        (ValueError, "order", lambda: view.tobytes("X")),
    ]:
        with pytest.raises(error, match=words):
            use()


def test_a_view_is_a_sequence_wherever_a_memoryview_is():
    assert issubclass(View, Sequence)
    match View(b"abc"):
        case [first, *rest]:
            assert (first, rest) == (97, [98, 99])
        case _:
            raise AssertionError("not matched as a sequence")
