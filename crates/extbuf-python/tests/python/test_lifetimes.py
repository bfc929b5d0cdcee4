"""How long memory is kept: references, export counts, cycles, threads, the end of the interpreter."""

import array
import ctypes
import gc
import io
import itertools
import mmap
import subprocess
import sys
import textwrap
import threading
import weakref

import numpy as np
import pytest

import extbuf.testing
from extbuf import View


class Source(bytearray):
    """A bytearray that can be referred to weakly and be part of a cycle."""


def live_views():
    gc.collect()
    return sum(type(each) is View for each in gc.get_objects())


@pytest.mark.parametrize(
    "use",
    [
        lambda view: view[1:5],
        lambda view: view[::-2].tobytes(),
        lambda view: view.cast("h"),
        lambda view: view.cast("h")[1],
        lambda view: view.reshape(2, 4).T.copy(),
        lambda view: list(view.reshape(2, 4)),
        lambda view: view == bytes(8),
        lambda view: view.toreadonly(),
        lambda view: memoryview(view)[2:3].tolist(),
        lambda view: np.asarray(view).sum(),
        lambda view: view.windows(3).tolist(),
        lambda view: view.__setitem__(slice(0, 4), b"abcd"),
        lambda view: view.copy_from(bytes(8)),
        lambda view: repr(view) + view._repr_html_(),
        lambda view: bytes(view) + bytearray(view),
        lambda view: [view.index(0), view.count(0), view.hex()],
        lambda view: list(reversed(view)),
    ],
)
def test_every_use_gives_back_what_it_took(use):
    memory = bytearray(8)
    before, live = sys.getrefcount(memory), live_views()
    for _ in range(5):
        view = View(memory)
        use(view)
        del view
    assert sys.getrefcount(memory) == before
    assert live_views() == live
    memory.append(1)  # nobody holds an export


def test_refused_uses_give_back_what_they_took():
    memory = bytearray(8)
    before = sys.getrefcount(memory)
    view = View(memory)
    for use in (
        lambda: view[9],
        lambda: view[()][0, 0],
        lambda: view.reshape(3, 3),
        lambda: view.cast("not a format"),
        lambda: view.cast("d", (5,)),
        lambda: view.__setitem__(0, "text"),
        lambda: view.__setitem__(slice(0, 3), b"four"),
        lambda: view.copy_from(3),
        lambda: view.field("x"),
        lambda: View(view, request=0x004),
        lambda: View(view.toreadonly(), request=0x001),
        lambda: View(bytes(2), writable=True),
    ):
        with pytest.raises((ValueError, TypeError, IndexError, BufferError, KeyError)):
            use()
    view.release()
    assert sys.getrefcount(memory) == before
    memory.append(1)


def test_a_bytearray_is_not_resized_while_a_view_of_it_lives():
    memory = bytearray(b"abcdef")
    view = View(memory)
    part = view[1:3]
    for change in (lambda: memory.append(0), memory.clear, lambda: memory.extend(b"x"), memory.pop):
        with pytest.raises(BufferError):
            change()
    view.release()
    with pytest.raises(BufferError):
        memory.append(0)  # the part has its share of the lease
    assert part.tobytes() == b"bc"
    del part
    memory.append(0)
    assert len(memory) == 7


def test_an_array_and_a_mapped_file_are_held_too(tmp_path):
    numbers = array.array("i", range(4))
    view = View(numbers)
    with pytest.raises(BufferError):
        numbers.append(4)
    view.release()
    numbers.append(4)

    path = tmp_path / "mapped"
    path.write_bytes(b"0123456789")
    with path.open("r+b") as file:
        mapped = mmap.mmap(file.fileno(), 0)
        view = View(mapped)[::-1]
        with pytest.raises(BufferError):
            mapped.close()
        view[0] = ord("x")
        view.release()
        mapped.close()
    assert path.read_bytes() == b"012345678x"


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_views_are_released_in_any_order(order):
    memory = bytearray(24)
    first = View(memory)
    second = first.cast("h", (3, 4))
    third = second.T[1:]
    fourth = third[0]
    views = [first, second, third, fourth]
    for place, at in enumerate(order):
        with pytest.raises(BufferError):
            memory.append(0)
        views[at].release()
        views[at].release()  # a second time is harmless
        with pytest.raises(ValueError, match="released"):
            views[at].tolist()
        for other in order[place + 1 :]:
            views[other].tolist()
    memory.append(0)


def test_a_view_that_is_lent_on_is_not_released():
    view = View(bytearray(6))
    consumer = memoryview(view)
    with pytest.raises(BufferError, match="1 consumer"):
        view.release()
    second = memoryview(view)
    with pytest.raises(BufferError, match="2 consumers"):
        view.release()
    consumer.release()
    second.release()
    view.release()
    with pytest.raises(ValueError):
        memoryview(view)


def test_what_is_lent_on_outlives_the_view_and_keeps_the_memory():
    memory = bytearray(b"abcdef")
    consumer = memoryview(View(memory)[2:])
    gc.collect()
    with pytest.raises(BufferError):
        memory.append(0)
    assert bytes(consumer) == b"cdef"
    consumer.release()
    memory.append(0)


def test_a_failed_request_leaves_nothing_behind():
    view = View(bytes(6)).reshape(2, 3).T
    before = sys.getrefcount(view)
    for flags in (0x000, 0x001, 0x008, 0x038, 0x004, 0x400, -1):
        with pytest.raises(BufferError):
            View(view, request=flags)
    assert sys.getrefcount(view) == before
    view.release()


def test_memory_of_our_own_is_given_back():
    copy = View(bytes(1 << 22)).copy()
    part = copy[5:]
    copy.release()
    assert part.nbytes == (1 << 22) - 5
    assert part.obj is None
    part.release()
    with pytest.raises(ValueError):
        part.tobytes()


def cycle(make):
    """A cycle from a source through whatever is made of it and back; a witness that goes with it."""
    source = Source(b"abcdefgh")
    witness = Source()
    source.held = make(source)
    source.witness = witness
    return weakref.ref(witness)


@pytest.mark.parametrize(
    "make",
    [
        View,
        lambda source: View(source)[1:],
        lambda source: [View(source), View(source).cast("h")],
        lambda source: memoryview(View(source)),
        lambda source: View(memoryview(View(source))),
        lambda source: iter(View(source)),
        lambda source: memoryview(View(source).reshape(2, 4).T),
    ],
)
def test_cycles_through_views_are_collected(make):
    gone = cycle(make)
    gc.collect()
    assert gone() is None


def test_cycles_through_numpy_end_where_numpy_hides_them():
    # NumPy does not show what an array holds, so nobody can collect this cycle; the view must not pretend otherwise.
    source = Source(b"abcdefgh")
    array_of_it = np.asarray(View(source))
    source.held = array_of_it
    gc.collect()
    assert array_of_it.tobytes() == b"abcdefgh"
    del source.held


def test_a_view_in_use_is_not_cleared_under_its_consumer():
    class Holder:
        pass

    holder = Holder()
    holder.view = View(bytearray(b"abc"))
    holder.self = holder
    consumer = memoryview(holder.view)
    del holder
    gc.collect()
    assert bytes(consumer) == b"abc"


def test_weak_references_die_with_the_view():
    view = View(b"abc")
    gone = weakref.ref(view)
    assert gone() is view
    del view
    assert gone() is None


def test_readinto_and_other_consumers_give_the_view_back():
    view = View(bytearray(8))[::1]
    assert io.BytesIO(b"ABCDEFGH").readinto(view) == 8
    assert bytes(view) == b"ABCDEFGH"
    view.release()


@pytest.mark.parametrize(
    "ending",
    [
        "pass",
        "memory.view = view; memory.self = memory",
        "sys.modules['kept'] = view",
        "import atexit; atexit.register(lambda: print(view.tolist()))",
        "consumer = memoryview(view); sys.modules['kept'] = [view, consumer]",
        "import threading; threading.Thread(target=view.copy, daemon=True).start()",
        "iterator = iter(view); next(iterator)",
        "copy = view.copy(); held = memoryview(copy)",
    ],
)
def test_the_interpreter_ends_with_live_views(ending):
    program = f"""
        import sys, gc
        from extbuf import View
        class Source(bytearray): pass
        memory = Source(b"abcd")
        view = View(memory)
        {ending}
        print("end")
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert "end" in done.stdout


def test_a_forked_process_copies_on_its_own():
    program = """
        import os
        from extbuf import View
        source = View(bytearray(1 << 24)).reshape(4096, 4096)
        assert source.T.tobytes() == bytes(1 << 24)  # starts the threads
        child = os.fork()
        if child == 0:
            os._exit(0 if source.T.tobytes() == bytes(1 << 24) else 1)
        assert os.waitpid(child, 0)[1] == 0
    """
    if not hasattr(__import__("os"), "fork"):
        pytest.skip("no fork on this system")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_release_meanwhile_is_refused_or_comes_first():
    class Releases:
        def __init__(self, view):
            self.view = view

        def __index__(self):
            self.view.release()
            return 1

    for use in (
        lambda view, key: view[key],
        lambda view, key: view.__setitem__(key, 1),
        lambda view, key: view.__setitem__(0, key),
        lambda view, key: view.__setitem__(slice(key, None), b"bc"),
        lambda view, key: view.reshape(3, 1)[key, 0] if False else view.reshape(3, key).tolist() and view[0],
    ):
        view = View(bytearray(b"abc"))
        with pytest.raises(ValueError, match="released"):
            use(view, Releases(view))


def test_threads_acquire_slice_copy_and_release_one_buffer():
    memory = np.arange(1 << 16, dtype=np.int32).reshape(256, 256)
    expected = memory.T.tobytes()
    before = sys.getrefcount(memory)
    shared = View(memory)
    failures = []
    start = threading.Barrier(8)

    def work(seed):
        try:
            start.wait()
            for turn in range(60):
                view = View(memory) if turn % 2 else shared[:]
                part = view[seed::8, ::-1]
                assert part[0, -1] == memory[seed, 0]
                assert view.T.tobytes() == expected
                assert part.copy("F") == part
                with view.reshape(65536) as flat:
                    assert len(memoryview(flat)) == 65536
                part.release()
                view.release()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    shared.release()
    assert sys.getrefcount(memory) == before


def test_threads_that_copy_and_release_the_same_view():
    for _ in range(20):
        view = View(bytearray(1 << 20)).reshape(1024, 1024).T
        outcomes = []
        start = threading.Barrier(2)

        def copy():
            start.wait()
            try:
                outcomes.append(len(view.tobytes()))
            except ValueError as error:
                outcomes.append("released" in str(error))

        def release():
            start.wait()
            try:
                view.release()
                outcomes.append(True)
            except BufferError:
                outcomes.append(True)

        threads = [threading.Thread(target=copy), threading.Thread(target=release)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert all(outcomes) and len(outcomes) == 2


def test_writers_and_readers_race_without_harm():
    # Values may be torn; nothing else may go wrong.
    memory = bytearray(1 << 20)
    source, target = View(memory), View(memory)
    stop = threading.Event()

    def write():
        blocks = itertools.cycle([b"\x00" * (1 << 20), b"\xff" * (1 << 20)])
        while not stop.is_set():
            target[:] = next(blocks)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(30):
            assert set(source[::-1].tobytes()) <= {0, 255}
            assert source[12345] in (0, 255)
    finally:
        stop.set()
        writer.join()


def test_references_of_an_item_are_counted_before_the_first_object_is_made():
    class Kept:
        pass

    class Meddler:
        def __del__(self):
            records["b"][0] = None  # the only reference to what lay there

    records = np.empty(1, [("a", object), ("b", object)])
    view = View(records)
    assert view[0] == (None, None)  # all that is made once is made
    for _ in range(20):
        kept = Kept()
        seen = weakref.ref(kept)
        records["a"][0], records["b"][0] = "a", kept
        del kept
        meddler = Meddler()
        meddler.itself = meddler
        threshold = gc.get_threshold()
        gc.disable()
        del meddler
        gc.set_threshold(1)
        gc.enable()
        item = view[0]  # a tuple: on Python 3.11 making it may collect the meddler
        gc.set_threshold(*threshold)
        assert type(item.b) in (Kept, type(None))
        assert (seen() is None) == (item.b is None)
        assert item.b is seen()
        gc.collect()
        assert records["b"][0] is None


def test_items_whose_text_nobody_understands_are_not_moved_where_they_may_hold_references():
    class Odd(ctypes.Structure):
        _fields_ = [("a", ctypes.py_object), *((name, ctypes.c_int, 3) for name in "bcd")]

    def odd(value):
        return Odd(value, 1, 2, 3)

    one, other = odd("one"), odd("other")
    with pytest.raises(TypeError, match="references to objects"):
        View(one).copy_from(View(other))
    with pytest.raises(TypeError, match="references to objects"):
        View((Odd * 2)(one, other)).copy()
    assert (one.a, other.a) == ("one", "other")

    class Plain(ctypes.Structure):
        _fields_ = [("Offset", ctypes.c_int, 3), *((name, ctypes.c_int, 3) for name in "bcd")]

    target = Plain()
    View(target).copy_from(View(Plain(1, 2, 3, 0)))
    assert (target.Offset, target.b) == (1, 2)


def test_large_blocks_that_go_serve_again_and_never_two_at_once():
    # Blocks of 32 MiB and more are kept for the next copy; what still holds one must not see that.
    sources = [np.full((1 << 22, 2), value, "f8")[:, ::-1] for value in range(3)]
    held = np.asarray(View(sources[0]).copy())
    for _ in range(2):
        for value, source in enumerate(sources):
            copies = [View(source).copy(), View(source[1:]).as_contiguous(), View(source[: 1 << 21]).copy("F")]
            assert len({each.__array_interface__["data"][0] for each in copies}) == 3
            assert all((np.asarray(each) == value).all() for each in copies)
            del copies
    assert (held == 0).all()


def test_threads_share_the_blocks_that_are_kept():
    sources = [np.full((1 << 22, 2), value, "f8")[::-1] for value in range(2)]
    wrong = []

    def work(source, value):
        for _ in range(5):
            if not (np.asarray(View(source).copy()) == value).all():
                wrong.append(value)

    threads = [threading.Thread(target=work, args=(sources[k % 2], k % 2)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_the_test_exporter_counts_references_before_the_first_object_is_made_too():
    class Kept:
        pass

    class Meddler:
        def __del__(self):
            records["b"][0] = None

    records = np.empty(1, [("a", object), ("b", object)])
    array = extbuf.testing.ndarray(records, getbuf=extbuf.testing.PyBUF_FULL)
    for read in [lambda: array[0], lambda: extbuf.testing.get_pointer(records, [0])]:
        read()
        for _ in range(10):
            kept = Kept()
            seen = weakref.ref(kept)
            records["b"][0] = kept
            del kept
            meddler = Meddler()
            meddler.itself = meddler
            threshold = gc.get_threshold()
            gc.disable()
            del meddler
            gc.set_threshold(1)
            gc.enable()
            item = read()
            gc.set_threshold(*threshold)
            assert item[1] is seen()
            gc.collect()
