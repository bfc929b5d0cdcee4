"""Exporters written in Python that do what they should not in the midst of being asked, and of being released (PEP 688).

Nothing here may end the process; what is refused is refused by an exception.
"""

import gc
import sys
import threading

import pytest

from extbuf import View

pytestmark = pytest.mark.skipif(sys.version_info < (3, 12), reason="exporters in Python came with 3.12")


class Hostile:
    """Lends bytes, and does as it was told when it is asked for them and when they come back."""

    on_get = on_release = None  # also once the collector has cleared it

    def __init__(self, on_get=None, on_release=None):
        self.data = bytearray(range(64))
        self.on_get, self.on_release = on_get, on_release

    def __buffer__(self, flags):
        if self.on_get is not None:
            self.on_get()
        return memoryview(self.data)

    def __release_buffer__(self, view):
        act, self.on_release = self.on_release, None
        if act is not None:
            act()
        view.release()


def test_an_exporter_that_is_asked_releases_the_target_of_the_assignment():
    memory = bytearray(64)
    target = View(memory)
    with pytest.raises(ValueError, match="released"):
        target[:] = Hostile(on_get=target.release)
    memory.append(1)  # nobody holds it


def test_an_exporter_that_is_asked_resizes_what_is_copied_to():
    memory, seen = bytearray(64), []

    def grow():
        with pytest.raises(BufferError):
            memory.append(1)
        seen.append(True)

    View(memory)[:] = Hostile(on_get=grow)
    assert seen and memory == bytes(range(64))


def test_a_release_that_releases_and_asks_again():
    lender = Hostile()
    view = View(lender)

    def again():
        view.release()
        assert View(lender)[3] == 3

    lender.on_release = again
    part = view[1:]
    view.release()
    assert part[0] == 1  # another share
    part.release()
    assert lender.on_release is None
    lender.data.append(1)  # nobody holds it


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_release_that_raises_is_a_release():
    lender = Hostile(on_release=lambda: 1 / 0)
    view = View(lender)
    view.release()
    with pytest.raises(ValueError, match="released"):
        view[0]


def test_keys_and_values_release_what_they_are_for():
    class Releases:
        def __index__(self):
            view.release()
            return 1

    memory = bytearray(8)
    uses = [
        lambda: view[Releases()],
        lambda: view.__setitem__(Releases(), 3),
        lambda: view.__setitem__(0, Releases()),
        lambda: view.__setitem__(slice(Releases(), None), bytes(7)),
    ]
    for use in uses:
        view = View(memory)
        with pytest.raises(ValueError, match="released"):
            use()
        memory.append(0)  # nobody holds it
        del memory[8:]
    view = View(memory)
    assert view[Releases() :].tolist() == [0] * 7  # a part is made all the same


def test_others_release_and_resize_while_a_copy_runs_without_the_interpreter():
    source, target = bytearray(1 << 25), bytearray(1 << 25)
    backwards, into = View(source)[::-1], View(target)
    stop, wrong = threading.Event(), []

    def meddle():
        while not stop.is_set():
            for act in (lambda: source.append(1), target.clear, lambda: source.__setitem__(5, 7)):
                try:
                    act()
                except BufferError:
                    pass
                except Exception as error:  # whatever else it is
                    wrong.append(error)

    thread = threading.Thread(target=meddle)
    thread.start()
    for _ in range(4):
        into.copy_from(backwards)
    stop.set()
    thread.join()
    assert not wrong and len(source) == len(target) == 1 << 25
    assert target[-6] == 7


def test_cycles_through_an_exporter_are_collected_in_any_order():
    gc.collect()
    gc.disable()  # or it collects some of them before they are counted
    try:
        for _ in range(50):
            lender = Hostile()
            lender.view = View(lender)
            lender.part = lender.view[2:]
            lender.memory = memoryview(lender.part)
            del lender
        before = sum(type(each) is View for each in gc.get_objects())
    finally:
        gc.enable()
    gc.collect()
    assert sum(type(each) is View for each in gc.get_objects()) <= before - 90
