"""NumPy, OpenCV, JAX, OpenBLAS and PyTorch in the comparison: each in its own words, on the memory of the harness.

    python peers.py LIBRARY ARGUMENTS...

The harness is a library that this program loads (the example `peers` of the crate extbuf-peers). It owns the cases,
the memory and the clock's rounds; from here it gets four functions, by which it asks for the runners of a case, runs
them, and looks at what they allocated themselves. A package that is not installed is left out with a line.
"""

import ctypes as c
import gc
import json
import os
import pathlib
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
CASES = {case["id"]: case for case in json.loads((HERE.parent / "cases.json").read_text())}


def threads_asked():
    arguments = sys.argv[2:]
    return int(arguments[arguments.index("--threads") + 1]) if "--threads" in arguments else 1


THREADS = threads_asked()
# Pools are sized when they are made, and idle threads must not spin into somebody else's turn.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = str(THREADS)
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ["JAX_PLATFORMS"] = "cpu"
CORES = os.sched_getaffinity(0)
if THREADS == 1:
    # Who counts the cores finds one.
    os.sched_setaffinity(0, {min(CORES)})

import numpy as np  # noqa: E402


def package(name, load):
    try:
        return load()
    except Exception as error:  # whatever keeps it from loading, the others go on
        print(f"without {name}: {type(error).__name__}: {str(error)[:100]}", flush=True)
        return None


def load_jax():
    import jax

    jax.config.update("jax_enable_x64", True)
    jax.block_until_ready(jax.device_put(np.ones((64, 65), "f4").T))
    return jax


def load_cv2():
    import cv2

    cv2.setNumThreads(THREADS)
    return cv2


def load_torch():
    import torch

    torch.set_num_threads(THREADS)
    return torch


def load_openblas():
    import scipy_openblas32

    folder = pathlib.Path(scipy_openblas32.get_lib_dir())
    library = c.CDLL(str(next(folder.glob("lib*openblas*.so"))))
    library.scipy_openblas_set_num_threads(c.c_int(THREADS))
    return library


JAX = package("JAX", load_jax)
CV2 = package("OpenCV", load_cv2)
TORCH = package("PyTorch", load_torch)
OPENBLAS = package("OpenBLAS", load_openblas)
for task in os.listdir("/proc/self/task"):
    try:
        os.sched_setaffinity(int(task), CORES)
    except OSError:
        pass  # a thread that has ended since


class Runner:
    """One way to do a case. `keep` is called first and its result forgotten before the next run, for those that
    allocate: their memory is then warm, and page faults are not charged to them."""

    def __init__(self, name, once, allocates=None):
        self.name, self.once, self.allocates, self.held = name, once, allocates, None

    def run(self, iterations):
        if self.allocates is None:
            once = self.once
            start = time.perf_counter_ns()
            for _ in range(iterations):
                once()
            return time.perf_counter_ns() - start
        make, self.held = self.once, None
        start = time.perf_counter_ns()
        for _ in range(iterations):
            self.held = None
            self.held = make()
        return time.perf_counter_ns() - start

    def output(self):
        return None if self.allocates is None else np.ascontiguousarray(self.allocates(self.held))


def at(address, length, dtype):
    """An array over memory of the harness."""
    block = (c.c_uint8 * length).from_address(address)
    return np.frombuffer(block, "u1").view(dtype)


def slices(text):
    def one(part):
        return slice(*(int(word) if word.strip() else None for word in part.split(":")))

    return tuple(one(part) for part in text.split(","))


def view_of(array, steps, library=np):
    for step in steps:
        ((what, how),) = step.items()
        if what == "permute":
            array = array.transpose(how)
        elif what == "slice":
            array = array[slices(how)]
        else:
            array = library.broadcast_to(array, how)
    return array


def elements(strides, array):
    return [stride // array.itemsize for stride in strides]


class Direct:
    """A case between strided arrays, as each package wants to see it."""

    def __init__(self, case, facts, src, dst):
        self.case, self.facts = case, facts
        self.kind, self.to = case["from"], case.get("to", case["from"])
        self.base = src.view(self.kind).reshape(case["source"])
        self.src = view_of(self.base, case.get("view", []))
        self.target = dst.view(self.to).reshape(case.get("into", self.src.shape))
        self.dst = view_of(self.target, case.get("place", []))
        self.swaps = case.get("swap", False)
        self.copies = self.kind == self.to and not self.swaps
        # NumPy and the harness read the table in their own ways: they must have read the same.
        for mine, theirs in ((self.src, facts["src_strides"]), (self.dst, facts["dst_strides"])):
            here = [s for s, extent in zip(elements(mine.strides, mine), mine.shape) if extent > 1]
            there = [s for s, extent in zip(theirs, facts["shape"]) if extent > 1]
            assert here == there, (facts["id"], here, there)

    def runners(self):
        yield from self.numpy()
        for library, runners in ((TORCH, self.torch), (JAX, self.jax), (CV2, self.cv2), (OPENBLAS, self.openblas)):
            if library is not None:
                yield from runners(library)

    def numpy(self):
        src, dst = self.src, self.dst
        if self.swaps:
            # The same bytes, said to be in the other order: NumPy swaps them on the way.
            src = src.view(src.dtype.newbyteorder())
        yield Runner("NumPy", lambda: np.copyto(dst, src, casting="unsafe"))

    def negative(self):
        return any(stride < 0 for stride in self.src.strides)

    def torch(self, torch):
        if self.swaps:
            return

        def tensor(array):
            return torch.from_numpy(array.view("i2") if array.dtype == "u2" else array)

        if not self.negative():
            start = (self.src.ctypes.data - self.base.ctypes.data) // self.base.itemsize
            src = torch.as_strided(tensor(self.base), self.src.shape, elements(self.src.strides, self.src), start)
            start = (self.dst.ctypes.data - self.target.ctypes.data) // self.target.itemsize
            dst = torch.as_strided(tensor(self.target), self.dst.shape, elements(self.dst.strides, self.dst), start)
            yield Runner("PyTorch", lambda: dst.copy_(src))
        elif self.copies and not self.case.get("place"):
            down = [axis for axis, stride in enumerate(self.src.strides) if stride < 0]
            upward = tensor(np.flip(self.src, down))
            yield Runner("PyTorch flip", lambda: torch.flip(upward, down), lambda made: made.numpy())

    def jax(self, jax):
        if self.swaps or self.case.get("place"):
            return
        steps, to = self.case.get("view", []), self.to
        if steps or not self.copies:
            base = jax.device_put(self.base)
            turn = jax.jit(lambda array: view_of(array, steps, jax.numpy).astype(to))
            yield Runner("JAX jit", lambda: turn(base).block_until_ready(), np.asarray)
        if self.copies and not self.src.flags.c_contiguous:
            src = self.src
            yield Runner("JAX put", lambda: jax.device_put(src).block_until_ready(), np.asarray)

    def matrices(self):
        """Dense matrices one behind the other, each written transposed: how many, rows and columns of the source."""
        if not self.copies or self.case.get("place"):
            return None
        loops = []
        for extent, stride in zip(self.src.shape, elements(self.src.strides, self.src)):
            if extent == 1:
                continue
            if loops and loops[-1][1] == stride * extent:
                loops[-1] = (loops[-1][0] * extent, stride)
            else:
                loops.append((extent, stride))
        count = loops.pop(0) if len(loops) == 3 else (1, None)
        if len(loops) != 2 or loops[0][1] != 1 or loops[1][1] != loops[0][0]:
            return None
        columns, rows = loops[0][0], loops[1][0]
        return (count[0], rows, columns) if count[1] in (None, rows * columns) else None

    def cv2(self, cv2):
        if not self.copies:
            return
        matrices, size = self.matrices(), self.base.itemsize
        if matrices:
            yield from self.cv2_matrices(cv2, size, *matrices)
        elif self.facts["group"] == "flip" and self.base.ndim <= 2:
            down = [axis for axis, stride in enumerate(self.src.strides) if stride < 0]
            src = self.base.reshape(-1, self.base.shape[-1])
            dst = self.target.reshape(src.shape)
            code = -1 if len(down) == 2 else int(down == [self.base.ndim - 1])
            yield Runner("OpenCV flip", lambda: cv2.flip(src, code, dst))
        elif self.facts["id"] == "img_bgr2rgb_u1":
            src, dst = self.base, self.target
            yield Runner("OpenCV cvtColor", lambda: cv2.cvtColor(src, cv2.COLOR_BGR2RGB, dst))

    def cv2_matrices(self, cv2, size, count, rows, columns):
        if count == 1 and rows > 4 and columns > 4:
            src, dst = self.base.reshape(rows, columns), self.target.reshape(columns, rows)
            if size == 16:
                src, dst = src.view("f8").reshape(rows, columns, 2), dst.view("f8").reshape(columns, rows, 2)
            yield Runner("OpenCV transpose", lambda: cv2.transpose(src, dst))
        elif size <= 8 and columns in (3, 4):
            # A picture of interleaved channels, taken apart.
            picture = self.base.shape[-3:-1] if self.base.ndim >= 3 else (1, rows)
            pictures = self.base.reshape(count, *picture, columns)
            planes = [list(planes) for planes in self.target.reshape(count, columns, *picture)]

            def split():
                for number in range(count):
                    cv2.split(pictures[number], planes[number])

            yield Runner("OpenCV split", split)
        elif size <= 8 and rows in (3, 4):
            picture = self.base.shape[-2:] if self.base.ndim >= 3 else (1, columns)
            planes = [list(planes) for planes in self.base.reshape(count, rows, *picture)]
            pictures = self.target.reshape(count, *picture, rows)

            def merge():
                for number in range(count):
                    cv2.merge(planes[number], pictures[number])

            yield Runner("OpenCV merge", merge)

    def openblas(self, blas):
        matrices = self.matrices()
        if THREADS > 1 or self.base.dtype.kind == "u" or not matrices or matrices[0] != 1:
            return
        _, rows, columns = matrices
        letter = {4: "s", 8: "d", 16: "z"}[self.base.itemsize]
        one = {"s": c.c_float(1), "d": c.c_double(1), "z": (c.c_double * 2)(1, 0)}[letter]
        function = getattr(blas, f"scipy_cblas_{letter}omatcopy")
        function.restype = None
        row_major, transposed = 101, 112
        sizes = c.c_int(rows), c.c_int(columns), one
        src, dst = (c.c_void_p(array.ctypes.data) for array in (self.base, self.target))
        arguments = c.c_int(row_major), c.c_int(transposed), *sizes, src, c.c_int(columns), dst, c.c_int(rows)
        yield Runner("OpenBLAS omatcopy", lambda: function(*arguments))


class Picture:
    """A picture in row pointers: to Python, a list of arrays."""

    MOST_ROWS = 50_000

    def __init__(self, case, dst, table, count):
        self.case = case
        self.dst = dst.view(case["from"])
        self.table, self.count = table, count

    def runners(self):
        if self.count > self.MOST_ROWS:
            return
        first_row, end_row, row_step, first, end, step = self.case["crop"]
        size = np.dtype(self.case["from"]).itemsize * self.case["columns"]
        addresses = at(self.table, 8 * self.count, "u8")[first_row:end_row:row_step]
        rows = [at(int(address), size, self.case["from"])[first:end:step] for address in addresses]
        turned = self.case.get("transposed", False)
        shape = (len(rows), len(rows[0]))
        dst = self.dst.reshape(shape[::-1] if turned else shape)
        lines = dst.T if turned else dst

        def row_by_row():
            for line, row in zip(lines, rows):
                line[:] = row

        yield Runner("NumPy row by row", row_by_row)
        if turned:
            yield Runner("NumPy stack", lambda: np.copyto(dst, np.stack(rows).T))
        else:
            flat = dst.reshape(-1)
            yield Runner("NumPy concatenate", lambda: np.concatenate(rows, out=flat))
            if TORCH is not None:
                tensors = [TORCH.from_numpy(row) for row in rows]
                result = TORCH.from_numpy(dst)
                yield Runner("PyTorch stack", lambda: TORCH.stack(tensors, out=result))


PREPARE = c.CFUNCTYPE(
    None, c.c_char_p, c.c_void_p, c.c_size_t, c.c_void_p, c.c_size_t, c.c_void_p, c.c_size_t, c.c_void_p, c.c_size_t
)
RUN = c.CFUNCTYPE(c.c_double, c.c_size_t, c.c_size_t)
OUTPUT = c.CFUNCTYPE(c.c_void_p, c.c_size_t, c.POINTER(c.c_size_t))
FINISH = c.CFUNCTYPE(None)


class Functions(c.Structure):
    _fields_ = [("prepare", PREPARE), ("run", RUN), ("output", OUTPUT), ("finish", FINISH)]


RUNNERS = []
RESULT = []


@PREPARE
def prepare(text, src, src_length, dst, dst_length, table, count, names, room):
    RUNNERS.clear()
    gc.disable()
    try:
        facts = json.loads(text)
        case = CASES[facts["id"]]
        to = at(dst, dst_length, "u1")
        if count:
            RUNNERS.extend(Picture(case, to, table, count).runners())
        else:
            RUNNERS.extend(Direct(case, facts, at(src, src_length, "u1"), to).runners())
    except Exception as error:
        print(f"{facts['id']}: {type(error).__name__}: {error}", flush=True)
    listed = "\n".join(runner.name for runner in RUNNERS).encode()[: room - 1] + b"\0"
    c.memmove(names, listed, len(listed))


@RUN
def run(number, iterations):
    try:
        return float(RUNNERS[number].run(iterations))
    except Exception as error:
        print(f"{RUNNERS[number].name}: {type(error).__name__}: {str(error)[:100]}", flush=True)
        return -1.0


@OUTPUT
def output(number, length):
    made = RUNNERS[number].output()
    if made is None:
        return None
    RESULT[:] = [made]
    length[0] = made.nbytes
    return made.ctypes.data


@FINISH
def finish():
    RUNNERS.clear()
    RESULT.clear()
    gc.enable()
    gc.collect()
    c.CDLL(None).malloc_trim(0)


def main():
    library = c.CDLL(sys.argv[1])
    library.extbuf_peers.argtypes = [c.c_char_p, c.POINTER(Functions)]
    functions = Functions(prepare, run, output, finish)
    return library.extbuf_peers("\n".join(sys.argv[2:]).encode(), c.byref(functions))


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit("usage: peers.py LIBRARY ARGUMENTS...")
    sys.exit(main())
