"""Random exporters times random chains of operations, step by step against NumPy."""

import array
import ctypes
import mmap
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import extbuf
from extbuf import View

try:
    import _testbuffer
except ImportError:
    _testbuffer = None

# Of the random chains, where each takes its time: under valgrind.
SHARE = float(os.environ.get("EXTBUF_SHARE", "1"))


class Inner(ctypes.Structure):
    _fields_ = [("x", ctypes.c_short), ("y", ctypes.c_double)]


class Outer(ctypes.Structure):
    _fields_ = [("tag", ctypes.c_ubyte), ("at", Inner), ("grid", (ctypes.c_int * 3) * 2)]


shapes = st.lists(st.integers(1, 4), min_size=1, max_size=4).map(tuple)
dtypes = st.sampled_from(
    ["u1", "i1", "?", "<i2", ">i2", "<u4", ">u4", "<i8", ">i8", "<f2", "<f4", ">f4", "<f8", ">f8", "<c8", ">c16"]
)


def numbers(shape, dtype="i4"):
    count = int(np.prod(shape))
    return (np.arange(count) % 120).astype(dtype).reshape(shape)


@st.composite
def exporters(draw):
    """An object that lends memory, and a NumPy array of its items for comparison."""
    kind = draw(st.sampled_from(["numpy", "fortran", "cut", "array", "ctypes", "bytes", "mmap", "rows", "pil", "nested"]))
    shape, dtype = draw(shapes), draw(dtypes)
    like = numbers(shape, dtype)
    if kind == "numpy":
        return like, like
    if kind == "fortran":
        like = np.asfortranarray(like)
        return like, like
    if kind == "cut":
        wide = numbers(tuple(2 * extent for extent in shape), dtype)
        like = wide[tuple(slice(draw(st.integers(0, 1)), None, draw(st.sampled_from([2, -2]))) for _ in shape)]
        return like, like
    if kind == "array":
        code = draw(st.sampled_from("bBhHiIlLqQfd"))
        object = array.array(code, range(24))
        return object, np.arange(24, dtype=code)
    if kind == "ctypes":
        kind = ctypes.c_int * 24
        object = kind(*range(24))
        if draw(st.booleans()):
            return ((ctypes.c_int * 4) * 6).from_buffer(object), np.arange(24, dtype="i4").reshape(6, 4)
        return object, np.arange(24, dtype="i4")
    if kind == "bytes":
        data = bytes(range(24))
        return draw(st.sampled_from([bytes, bytearray, memoryview]))(data), np.frombuffer(data, "u1")
    if kind == "mmap":
        object = mmap.mmap(-1, 24)
        object[:] = bytes(range(24))
        return object, np.arange(24, dtype="u1")
    if kind == "rows":
        return extbuf.rows([like[k : k + 1].reshape(shape[1:]) for k in range(len(like))]), like
    if kind == "nested":
        object = (Outer * 3)()
        for k in range(3):
            object[k].tag, object[k].at.x, object[k].at.y = k, -k, k / 2
            for i in range(2):
                for j in range(3):
                    object[k].grid[i][j] = 10 * k + 3 * i + j
        path = draw(st.sampled_from(["tag", "at.x", "at.y", "grid[1][2]", "grid[0,1]"]))
        wanted = {"tag": lambda k: k, "at.x": lambda k: -k, "at.y": lambda k: k / 2}
        value = wanted.get(path, lambda k: 10 * k + (5 if "2" in path else 1))
        like = np.array([value(k) for k in range(3)], {"tag": "u1", "at.x": "i2", "at.y": "f8"}.get(path, "i4"))
        return View(object).field(path), like
    if _testbuffer is None:
        return like, like
    code = draw(st.sampled_from("bBhHiIlLqQ"))
    like = numbers(shape, code)
    return _testbuffer.ndarray(like.reshape(-1).tolist(), list(shape), format=code, flags=_testbuffer.ND_PIL), like


def key(draw, shape):
    parts = []
    for extent in shape:
        kind = draw(st.sampled_from(["all", "index", "slice", "slice", "new"]))
        if kind == "new":
            parts.append(None)
            kind = "slice"
        if kind == "index" and extent:
            parts.append(draw(st.integers(-extent, extent - 1)))
        elif kind == "slice":
            bound = st.one_of(st.none(), st.integers(-extent - 1, extent + 1))
            parts.append(slice(draw(bound), draw(bound), draw(st.sampled_from([None, 1, 2, -1, -2, 3]))))
        else:
            parts.append(slice(None))
    if draw(st.booleans()):
        cut = draw(st.integers(0, len(parts)))
        rest = sum(part is not None for part in parts[cut:])
        parts = parts[:cut] + [...] + parts[cut:] if rest or draw(st.booleans()) else parts + [...]
    return tuple(parts)


def step(draw, view, like):
    """One operation on both; the description of it."""
    kind = draw(st.sampled_from(["key", "key", "key", "T", "permute", "broadcast", "diagonal", "reshape", "copy", "windows"]))
    if kind == "key":
        part = key(draw, like.shape)
        return view[part], like[part], part
    if kind == "T":
        return view.T, like.T, "T"
    if kind == "permute":
        axes = draw(st.permutations(range(like.ndim)))
        return view.permute(axes), like.transpose(axes), axes
    if kind == "broadcast":
        shape = (draw(st.integers(1, 3)), *like.shape)
        return view.broadcast_to(shape), np.broadcast_to(like, shape), shape
    if kind == "diagonal" and like.ndim >= 2:
        return view.diagonal(), like.diagonal(), "diagonal"
    if kind == "windows" and like.ndim and like.shape[0] >= 2:
        return view.windows(2, 0), np.lib.stride_tricks.sliding_window_view(like, 2, 0), "windows"
    if kind == "reshape" and like.size:
        try:
            flat = view.reshape((like.size,))
        except ValueError:
            # Then it is not possible without a copy, and NumPy must copy too; unless a copy in Fortran order came before,
            # of which NumPy's side knows nothing.
            assert not np.shares_memory(like.reshape(-1), like) or like.size == 1 or not view.c_contiguous
            return view, like, "no reshape"
        return flat, like.reshape(-1), "reshape"
    if kind == "copy":
        order = draw(st.sampled_from(["C", "F", "A"]))
        return view.copy(order), like, f"copy {order}"
    return view, like, "nothing"


def agree(view, like, done):
    if not isinstance(view, View):
        assert view == like or view == like.tolist(), done
        return
    assert view.shape == like.shape, done
    assert view.tolist() == like.tolist(), done
    assert view.nbytes == like.nbytes, done
    for order in "CF":
        assert view.tobytes(order) == like.tobytes(order), (done, order)
    assert view == View(like), done
    assert len(view) == len(like) if like.ndim else True
    if like.size and len(view.levels) == 1:
        packed = np.asarray(view)
        assert packed.tolist() == like.tolist(), done
        assert (view.c_contiguous, view.f_contiguous) == (packed.flags.c_contiguous, packed.flags.f_contiguous)
    if like.ndim:
        assert [part.tolist() if isinstance(part, View) else part for part in view] == [part.tolist() for part in like]


@settings(max_examples=int(400 * SHARE), deadline=None)
@given(exporters(), st.data())
def test_chains_of_operations_are_those_of_numpy(exporter, data):
    object, like = exporter
    view, done = View(object), []
    agree(view, like, done)
    for _ in range(data.draw(st.integers(1, 5))):
        view, like, what = step(data.draw, view, like)
        done.append(what)
        agree(view, like, done)
        if not isinstance(view, View) or like.size > 300:
            break


@settings(max_examples=int(250 * SHARE), deadline=None)
@given(exporters(), st.data())
def test_what_is_written_through_a_chain_lies_where_numpy_puts_it(exporter, data):
    object, like = exporter
    view, like = View(object).copy(), like.copy()
    part, theirs, done = view, like, []
    for _ in range(data.draw(st.integers(1, 3))):
        what = key(data.draw, theirs.shape)
        if not isinstance(part[what], View):
            break
        part, theirs = part[what], theirs[what]
        done.append(what)
    source = numbers(theirs.shape, like.dtype)[..., ::-1] if theirs.ndim else np.array(1, like.dtype)
    part[...] = source
    theirs[...] = source
    assert view.tolist() == like.tolist(), done


@pytest.mark.skipif(_testbuffer is None, reason="the interpreter has no _testbuffer")
@settings(max_examples=int(150 * SHARE), deadline=None)
@given(shapes, st.data())
def test_pointers_are_followed_as_cpython_s_helper_follows_them(shape, data):
    like = numbers(shape, "i4")
    theirs = _testbuffer.ndarray(like.reshape(-1).tolist(), list(shape), format="i", flags=_testbuffer.ND_PIL)
    # Slices of more than one axis are the helper's alone in CPython.
    cut = tuple(slice(data.draw(st.integers(0, n - 1)), None, data.draw(st.sampled_from([1, 2, -1]))) for n in shape)
    assert View(theirs)[cut].tolist() == theirs[cut].tolist() == like[cut].tolist()
    back = _testbuffer.ndarray(View(theirs)[cut], getbuf=_testbuffer.PyBUF_FULL_RO)
    assert back.tolist() == like[cut].tolist()
    assert View(back) == View(like[cut])


def test_records_of_ctypes_are_read_where_c_put_them():
    # Before Python 3.12 ctypes writes no padding between fields, and a text that is too short.
    class Big(ctypes.BigEndianStructure):
        _fields_ = [("a", ctypes.c_byte), ("b", ctypes.c_int)]

    class Packed(ctypes.Structure):
        _pack_ = 1
        _fields_ = [("a", ctypes.c_byte), ("b", ctypes.c_int)]

    both, big, packed = (Outer * 2)(), (Big * 2)(), (Packed * 2)()
    both[1].tag, both[1].at.x, both[1].at.y, both[1].grid[1][2] = 3, -5, 2.5, 9
    big[1].a, big[1].b = 1, 7
    packed[1].a, packed[1].b = 1, 7
    assert View(both)[1] == (3, (-5, 2.5), [[0, 0, 0], [0, 0, 9]])
    assert View(big)[1] == (1, 7)
    for lent_on in (memoryview(both), View(View(both)), View(memoryview(View(both)))):
        assert View(lent_on)[1] == View(both)[1]
    try:
        assert View(packed)[1] == (1, 7)
    except NotImplementedError:
        # Python 3.11 says that a packed structure is one byte, which is refused.
        assert memoryview(packed).format == "B"
