"""The faults of the book's page "What can go wrong" that concern Python, by their numbers.

What is refused raises, leaves the bytes as they were, and holds no export: the memory can be resized afterwards.
"""

import array
import ctypes
import itertools
import mmap
import pickle
import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest

from extbuf import Format, View, copy

testbuffer = pytest.importorskip("_testbuffer", reason="the interpreter came without its test helpers")


class Releases:
    """A value, a key and an operand whose evaluation releases a view."""

    def __init__(self, view, value=1):
        self.view, self.value = view, value

    def __index__(self):
        self.view.release()
        return self.value

    def __float__(self):
        return float(self.__index__())

    def __eq__(self, other):
        self.view.release()
        return True

    __hash__ = None


@pytest.mark.parametrize("text", ["b", "B", "<h", "i", "Q", "d", "f", "?"])
def test_fault_01_a_value_that_releases_the_view_writes_nothing(text):
    memory = bytearray(b"\xa5" * 16)
    view = View(memory).cast(text)
    try:
        view[0] = Releases(view)
    except (ValueError, TypeError) as error:
        assert "released" in str(error) or text == "?", error
        assert memory == b"\xa5" * 16
    else:
        assert text == "?"  # any object is true, and nothing was asked of it
    view.release()
    memory.append(0)


def test_fault_01_a_key_that_releases_the_view_reads_and_writes_nothing():
    for use in (
        lambda view, key: view[key],
        lambda view, key: view.__setitem__(key, 7),
        lambda view, key: view.__setitem__(slice(key, None), b"bc"),
        lambda view, key: view.reshape(3, key) and view[0],
    ):
        memory = bytearray(b"abc")
        view = View(memory)
        with pytest.raises(ValueError, match="released"):
            use(view, Releases(view))
        assert memory == b"abc"
        memory.append(0)


def test_fault_01_a_slice_whose_bounds_release_the_view_holds_the_memory_itself():
    # CPython's own tests ask for a slice here and not for an error; then the memory must be there for it.
    for cut in (lambda key: slice(key, None), lambda key: slice(0, key), lambda key: slice(None, None, key)):
        memory = bytearray(b"abc")
        view = View(memory)
        part = view[cut(Releases(view))]
        assert part.tobytes() == memory[cut(1)]
        with pytest.raises(ValueError, match="released"):
            view.tobytes()
        with pytest.raises(BufferError):
            memory.append(0)
        part.release()
        memory.append(0)


def test_fault_01_comparing_runs_no_code_of_others_over_freed_memory():
    memory = bytearray(b"\x01" * 8)
    view = View(memory)
    assert (view == Releases(view)) in (True, False, NotImplemented)
    for use in (lambda: view.index(Releases(view)), lambda: view.count(Releases(view))):
        view = View(memory)
        try:
            use()
        except ValueError as error:
            assert "released" in str(error) or "not" in str(error)
        view.release()
    memory.append(0)


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_fault_02_root_slice_turned_and_lent_on_are_released_in_any_order(order):
    memory = bytearray(24)
    root = View(memory)
    part = root.cast("h", (3, 4))[1:]
    turned = part.T
    lent = pickle.PickleBuffer(turned)
    everything = [root, part, turned, lent]
    released = set()
    for at in order:
        with pytest.raises(BufferError):
            memory.append(0)
        if everything[at] is turned and lent is not None and 3 not in released:
            with pytest.raises(BufferError, match="1 consumer"):
                turned.release()
            released.add("turned waits")
            continue
        everything[at].release()
        released.add(at)
    turned.release()
    memory.append(0)


def test_fault_03_a_second_release_and_a_failed_one_change_nothing():
    memory = bytearray(8)
    before = sys.getrefcount(memory)
    view = View(memory)
    for _ in range(3):
        view.release()
    with View(memory) as inner:
        inner.release()
    # An exporter that refuses in its turn: the views before it are given back.
    refusing = testbuffer.ndarray([1, 2, 3], shape=[3], format="B", flags=testbuffer.ND_GETBUF_FAIL)
    for _ in range(50):
        with pytest.raises(BufferError):
            View(refusing)
        with pytest.raises(BufferError):
            copy(memory, refusing)
    assert sys.getrefcount(memory) == before
    memory.append(0)


def test_fault_04_nothing_that_is_lent_is_resized_by_one_thread_or_many(tmp_path):
    path = tmp_path / "mapped"
    path.write_bytes(bytes(16))
    with path.open("r+b") as file:
        mapped = mmap.mmap(file.fileno(), 0)
        numbers, memory = array.array("i", range(4)), bytearray(16)
        for owner, change in [(memory, memory.clear), (numbers, lambda: numbers.append(1)), (mapped, mapped.close)]:
            views = [View(owner) for _ in range(4)]
            failures = []

            def work(view, change=change, failures=failures):
                for _ in range(200):
                    try:
                        change()
                        failures.append("resized under a view")
                    except BufferError:
                        pass
                    view[:].tobytes()
                view.release()

            threads = [threading.Thread(target=work, args=(view,)) for view in views[1:]]
            [thread.start() for thread in threads]
            [thread.join() for thread in threads]
            assert failures == []
            with pytest.raises(BufferError):
                change()
            views[0].release()
            change()


@pytest.mark.parametrize(
    "kept",
    ["sys.kept = view", "import atexit; atexit.register(view.tolist)", "import threading; l = threading.local(); l.v = view; sys.l = l"],
)
def test_fault_05_an_export_that_outlives_the_interpreter_ends_it_in_peace(kept):
    program = f"""
        import sys
        from extbuf import View
        view = View(bytearray(b"abcd"))[::-1]
        held = memoryview(view)
        sys.held = held
        {kept}
        print("end")
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "end\n")


def test_fault_07_shapes_whose_product_wraps_are_refused():
    memory = bytearray(5)
    view = View(memory)
    for shape in [(2**32, 2**32), (2**62, 2), (0, 2**63 - 1, 2), (3, 7, 29, 36760123, 823996703)]:
        with pytest.raises((ValueError, OverflowError)):
            view.reshape(shape)
        with pytest.raises((ValueError, OverflowError, TypeError)):
            view.cast("B", shape)
    with pytest.raises((ValueError, OverflowError)):
        view[:1].broadcast_to(2**32, 2**32)
    view.release()
    memory.append(0)


class PyBuffer(ctypes.Structure):
    """`Py_buffer`, to be filled with what no exporter should say."""

    _fields_ = [
        ("buf", ctypes.c_void_p),
        ("obj", ctypes.c_void_p),
        ("len", ctypes.c_ssize_t),
        ("itemsize", ctypes.c_ssize_t),
        ("readonly", ctypes.c_int),
        ("ndim", ctypes.c_int),
        ("format", ctypes.c_char_p),
        ("shape", ctypes.POINTER(ctypes.c_ssize_t)),
        ("strides", ctypes.POINTER(ctypes.c_ssize_t)),
        ("suboffsets", ctypes.POINTER(ctypes.c_ssize_t)),
        ("internal", ctypes.c_void_p),
    ]


def claimed(memory, *, len, itemsize=1, ndim=1, format=None, shape=None, strides=None, suboffsets=None):
    """A memoryview of memory under a description of any kind; CPython passes it on as it is."""
    numbers = lambda given: given and (ctypes.c_ssize_t * builtin_len(given))(*given)
    claim = PyBuffer(
        buf=ctypes.addressof(memory), len=len, itemsize=itemsize, ndim=ndim, format=format,
        shape=numbers(shape), strides=numbers(strides), suboffsets=numbers(suboffsets),
    )
    make = ctypes.pythonapi.PyMemoryView_FromBuffer
    make.restype, make.argtypes = ctypes.py_object, [ctypes.POINTER(PyBuffer)]
    return make(ctypes.byref(claim)), claim


builtin_len = len


def test_fault_13_null_fields_are_filled_in_as_the_protocol_says():
    memory = (ctypes.c_ubyte * 24)(*range(24))
    for given, shape, strides, items in [
        (dict(len=24), (24,), (1,), 24),
        (dict(len=24, itemsize=4, format=b"i"), (6,), (4,), 6),
        (dict(len=24, itemsize=2, ndim=2, shape=(3, 4), format=b"H"), (3, 4), (8, 2), 12),
        (dict(len=4, itemsize=4, ndim=0, format=b"I"), (), (), 1),
        (dict(len=6, ndim=2, shape=(2, 3), strides=(12, 4)), (2, 3), (12, 4), 6),
    ]:
        view, keep = claimed(memory, **given)
        ours = View(view)
        assert (ours.shape, ours.strides, ours.nbytes) == (shape, strides, items * ours.itemsize)
        assert ours.tobytes() == view.tobytes()
        ours.release()
        del keep


def test_fault_13_a_length_that_is_not_the_product_is_refused_with_both_numbers():
    memory = (ctypes.c_ubyte * 24)()
    for given, product in [
        (dict(len=24, ndim=2, shape=(5, 5)), 25),
        (dict(len=8, ndim=1, itemsize=4, shape=(6,), format=b"i"), 24),
        (dict(len=24, ndim=1, shape=(0,)), 0),
        (dict(len=0, ndim=1, shape=(3,)), 3),
        (dict(len=3, ndim=0, itemsize=4), 4),
    ]:
        view, keep = claimed(memory, **given)
        with pytest.raises(BufferError, match=rf" {product} bytes and a length of {given['len']}$"):
            View(view)
        del keep
        view.release()


def test_fault_13_a_format_of_another_size_gives_no_values():
    memory = (ctypes.c_ubyte * 24)()
    view, keep = claimed(memory, len=24, itemsize=4, shape=(6,), format=b"d")
    ours = View(view)
    assert ours.itemsize == 4
    with pytest.raises(NotImplementedError, match="8.*4|4.*8"):
        ours[0]
    with pytest.raises(NotImplementedError):
        ours[0] = 1.0
    assert bytes(memory) == bytes(24) and ours.tobytes() == bytes(24)
    del keep


REQUESTS = [w | f | s for w in (0, 1) for f in (0, 4) for s in (0x0, 0x8, 0x18, 0x38, 0x58, 0x98, 0x118)]


@pytest.mark.parametrize("flags", REQUESTS, ids=hex)
def test_fault_14_every_request_is_answered_as_cpythons_helper_answers_it(flags):
    nd = testbuffer
    for shape, strides, more in itertools.product(
        [(2, 3), (1, 6), (1, 1), (0, 3), (6,), ()], ["C", "F", "comb"], [0, nd.ND_WRITABLE, nd.ND_PIL]
    ):
        if more == nd.ND_PIL and (strides != "C" or shape == () or 0 in shape):
            continue
        if strides == "F":
            more |= nd.ND_FORTRAN
        items = list(range(max(1, np.prod(shape, dtype=int))))
        make = dict(shape=list(shape), format="B", flags=more) if shape else dict(shape=[], format="B", flags=more)
        source = nd.ndarray(items if shape else items[0], **make)
        if strides == "comb" and shape and shape[0] > 1:
            source = source[::2]
        answers = []
        for exporter in (View(source), memoryview(source)):
            try:
                got = nd.ndarray(exporter, getbuf=flags)
                answers.append((got.shape, got.strides, got.suboffsets, got.format, got.ndim, got.itemsize, got.nbytes, got.readonly))
            except BufferError:
                answers.append("refused")
        assert answers[0] == answers[1], (shape, strides, more)


def test_fault_15_a_null_row_or_a_row_that_is_none_is_refused():
    import extbuf

    with pytest.raises(TypeError):
        extbuf.rows([b"abc", None])
    with pytest.raises(ValueError, match="row 1"):
        extbuf.rows([b"abc", b"ab"])
    table = (ctypes.c_void_p * 2)(None, None)
    view, keep = claimed(table, len=6, ndim=2, shape=(2, 3), strides=(8, 1), suboffsets=(0, -1))
    try:
        ours = View(view)
    except BufferError as error:
        assert "row" in str(error) or "pointer" in str(error)
    else:
        # The description alone is harmless: nothing is followed until an item is asked for.
        assert ours.shape == (2, 3)
        assert ours[:, 1:].suboffsets == (1, -1)
    del keep


def test_fault_16_copies_within_one_memory_are_as_if_the_source_were_read_first():
    for to, source in [
        (slice(1, None), slice(None, -1)),
        (slice(None, -1), slice(1, None)),
        (slice(None), slice(None, None, -1)),
        (slice(0, None, 2), slice(1, None, 2)),
    ]:
        memory, expected = bytearray(range(64)), bytearray(range(64))
        expected[to] = bytes(expected[source])
        view = View(memory)
        view[to] = view[source]
        assert memory == expected
        memory[:] = bytes(range(64))
        copy(view[to], view[source])
        assert memory == expected
    with pytest.raises((ValueError, TypeError, BufferError)):
        View(bytearray(4))[:1].broadcast_to(4)[:] = b"abcd"


def test_fault_17_no_way_leads_from_reading_to_writing():
    source = bytes(8)
    view = View(source)
    for part in (view, view[1:], view.cast("h"), view.reshape(2, 4).T, View(memoryview(source)), View(view), view.toreadonly()):
        assert part.readonly
        with pytest.raises(TypeError):
            part[(0,) * part.ndim] = 1
        with pytest.raises(BufferError):
            View(part, writable=True)
        with pytest.raises((BufferError, TypeError, ValueError)):
            copy(part, bytes(8))
        assert memoryview(part).readonly
    assert source == bytes(8)


def test_fault_25_the_dialects_of_ctypes_and_numpy_are_told_apart():
    class Packed(ctypes.Structure):
        _pack_ = 1
        _layout_ = "ms"
        _fields_ = [("a", ctypes.c_uint8), ("b", ctypes.c_uint32)]

    class Padded(ctypes.Structure):
        _fields_ = [("a", ctypes.c_uint8), ("b", ctypes.c_uint32)]

    for kind in (Packed, Padded):
        items = (kind * 2)((1, 2), (3, 4))
        view = View(items)
        assert view.itemsize == ctypes.sizeof(kind) and view.tobytes() == bytes(items)
    with pytest.raises(ValueError, match="5.*4|4.*5"):
        Format("T{<B:a:<I:b:}", itemsize=4)
    assert Format("T{<B:a:<I:b:}", itemsize=8).itemsize == 8


def test_fault_26_objects_are_not_copied_by_their_bits():
    class Thing:
        pass

    thing = Thing()
    source = np.array([thing, None], dtype=object)
    before = sys.getrefcount(thing)
    view = View(source)
    target = np.array([1, 2], dtype=object)
    for use in (view.copy, lambda: view.cast("B"), lambda: pickle.dumps(view, 5), lambda: copy(target, view)):
        with pytest.raises(TypeError, match="objects"):
            use()
        assert sys.getrefcount(thing) == before
    assert target.tolist() == [1, 2]
    # The bits alone, as memoryview gives them: bytes, which nobody takes for references.
    assert view.tobytes() == memoryview(source).tobytes() and sys.getrefcount(thing) == before
    view.release()


def test_fault_28_others_write_while_we_copy_without_the_lock():
    memory = bytearray(1 << 20)
    view, stop = View(memory).reshape(1024, 1024), threading.Event()

    def write():
        other, turn = memoryview(memory), 0
        while not stop.is_set():
            turn = (turn + 1) % 256
            other[:] = bytes([turn]) * (1 << 20)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(20):
            copied = view.T.tobytes()
            assert len(copied) == 1 << 20
    finally:
        stop.set()
        writer.join()


def test_fault_29_a_view_is_dropped_on_another_thread():
    memory = bytearray(8)
    box = [View(memory)[::2]]
    thread = threading.Thread(target=lambda: box.pop().tobytes())
    thread.start()
    thread.join()
    memory.append(0)


def test_fault_30_a_value_of_another_type_is_refused_and_nothing_written():
    memory = bytearray(b"\xa5" * 8)
    for text, value in [("i", 1.5), ("d", "1"), ("B", 256), ("b", -129), ("c", "x"), ("c", b"xy"), ("?", None), ("f", b"1234")]:
        view = View(memory).cast(text)
        try:
            view[0] = value
        except (TypeError, ValueError):
            assert memory == b"\xa5" * 8, (text, value)
        else:
            assert text == "?"
            memory[:] = b"\xa5" * 8
