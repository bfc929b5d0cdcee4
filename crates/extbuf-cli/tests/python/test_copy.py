"""The program against NumPy: for files of every dtype and order, sliced and permuted at random, `extbuf copy` must
write the very bytes that NumPy's own answer has. EXTBUF_BIN names the program."""

import os
import random
import struct
import subprocess
import zlib

import numpy as np
import pytest

SEED = 20070327
ARRAYS = 400
PICTURES = 60

EXTBUF = os.environ["EXTBUF_BIN"]

SCALARS = (
    [f"{order}{kind}" for order in "<>" for kind in ("i2", "i4", "i8", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16")]
    + ["|b1", "|i1", "|u1", "<U5", ">U3", "<U1", "|S10", "|S1", "|V7", "|V1"]
    + [np.dtype(np.longdouble).str, np.dtype(np.clongdouble).str]
)

RECORDS = [
    np.dtype([("a", "<i4"), ("b", ">f8")]),
    np.dtype([("tag", "u1"), ("x", "<f8")], align=True),
    np.dtype({"names": ["p", "q"], "formats": ["<u2", "<f4"], "offsets": [3, 9], "itemsize": 21}),
    np.dtype([("m", "<f4", (2, 3)), ("name", "<U3"), ("raw", "V5")]),
    np.dtype([("inner", [("re", ">f4"), ("im", ">f4")]), ("many", [("k", "<i2"), ("v", "|S3")], (2,))]),
    np.dtype([("größe", "<i8"), ("it's", "u1"), ('a "b"', "u1"), ("日本", "<c16")]),
]

DTYPES = [np.dtype(text) for text in SCALARS] + RECORDS


def extbuf(*arguments, ok=True):
    done = subprocess.run([EXTBUF, *map(str, arguments)], capture_output=True, text=True, timeout=300)
    if ok:
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
    return done


def random_array(rng, dtype, shape):
    count = int(np.prod(shape, dtype=np.int64))
    items = np.frombuffer(rng.randbytes(count * dtype.itemsize), dtype="u1").copy()
    if dtype.kind == "b":
        items &= 1
    if dtype.kind == "U":  # four bytes that are a character
        items = np.array([rng.choice("aé日😀") for _ in range(count * dtype.itemsize // 4)], dtype=dtype.str[0] + "U1")
        items = items.view("u1") if count else items.view("u1")[:0]
    array = np.ndarray(shape, dtype=dtype, buffer=items.tobytes() or b"\0" * 8).copy()
    if rng.random() < 0.4:
        array = np.asfortranarray(array)
    return array


def random_slice(rng, shape):
    """A slice and the text of it, as likely to be written oddly as plainly."""
    entries, text = [], []

    def number(extent):
        return rng.randint(-extent - 2, extent + 2)

    axes = list(range(len(shape)))
    cut = rng.randint(0, len(axes))
    ellipsis = rng.random() < 0.3
    named = axes[:cut] if not ellipsis else axes[: rng.randint(0, cut)]
    behind = axes[len(axes) - rng.randint(0, len(axes) - len(named)):] if ellipsis else []

    def entry(extent):
        if rng.random() < 0.15:
            entries.append(None)
            text.append("None")
        if extent and rng.random() < 0.2:
            index = rng.randint(-extent, extent - 1)
            entries.append(index)
            text.append(str(index))
            return
        step = rng.choice([None, None, 1, 2, 3, -1, -1, -2, -3])
        start, stop = (number(extent) if rng.random() < 0.4 else None for _ in range(2))
        entries.append(slice(start, stop, step))
        shown = ["" if part is None else str(part) for part in (start, stop)]
        text.append(":".join(shown) + ("" if step is None else rng.choice([":", " : "]) + str(step)))

    for axis in named:
        entry(shape[axis])
    if ellipsis:
        entries.append(Ellipsis)
        text.append("...")
        for axis in behind:
            entry(shape[axis])
    if not ellipsis:
        entries.append(Ellipsis)  # Changes nothing, but that NumPy hands out an array where it has no axes left.
    return tuple(entries), "[" + rng.choice([", ", ","]).join(text) + "]"


def same_bytes(file, expected, order):
    """The file is the one that numpy.save writes of the expected array in this order."""
    reference = file.with_suffix(".expected.npy")
    # As bytes without a type: of a record NumPy copies the fields and leaves out what is between them.
    dtype = expected.dtype
    expected = np.array(expected.view(f"V{dtype.itemsize}"), order=order).view(dtype)
    np.save(reference, expected, allow_pickle=False)
    found, wanted = file.read_bytes(), reference.read_bytes()
    if found != wanted:
        loaded = np.load(file)
        assert loaded.dtype == expected.dtype, (loaded.dtype, expected.dtype)
        assert loaded.shape == expected.shape
        assert loaded.tobytes(order) == expected.tobytes(order)
        assert found == wanted, (found[:200], wanted[:200])
    return len(found)


def permuted(rng, view, arguments):
    if view.ndim > 1 and rng.random() < 0.6:
        axes = rng.sample(range(view.ndim), view.ndim)
        signed = [axis - view.ndim if rng.random() < 0.2 else axis for axis in axes]
        arguments += ["--axes", ",".join(map(str, signed))]
        return view.transpose(axes)
    return view


@pytest.mark.filterwarnings("ignore:Stored array in format 3.0")
def test_random_arrays_of_every_dtype_are_numpys(tmp_path, capsys):
    rng = random.Random(SEED)
    seen, compared, empty = set(), 0, 0
    for number in range(ARRAYS):
        dtype = DTYPES[number % len(DTYPES)]
        shape = tuple(rng.choice([1, 2, 3, 5, 8, 17]) if rng.random() < 0.97 else 0 for _ in range(rng.randint(0, 4)))
        array = random_array(rng, dtype, shape)
        source, out = tmp_path / "in.npy", tmp_path / "out.npy"
        np.save(source, array, allow_pickle=False)
        entries, text = random_slice(rng, shape)
        arguments = ["copy", f"{source}{text}" if text != "[]" or rng.random() < 0.5 else source, out]
        view = permuted(rng, array[entries], arguments)
        order = rng.choice("CF")
        arguments += ["--order", order]
        if rng.random() < 0.3:
            arguments += ["--threads", rng.randint(1, 3)]
        extbuf(*arguments)
        compared += same_bytes(out, np.asarray(view), order)
        empty += view.size == 0
        seen.add(dtype)
    assert len(seen) == len(DTYPES)
    with capsys.disabled():
        print(f"\n{ARRAYS} arrays of {len(seen)} dtypes ({ARRAYS - empty} of the results hold items): {compared:,} bytes of files equal numpy.save's")


def test_large_arrays_take_the_parallel_path(tmp_path):
    """Over one slab, so that several copies make one file."""
    array = np.arange(3 * 1700 * 1500, dtype="<u4").reshape(3, 1700, 1500)
    source, out = tmp_path / "in.npy", tmp_path / "out.npy"
    np.save(source, array)
    for text, axes, order in [("", (2, 1, 0), "C"), ("[::-1, :, ::-1]", (0, 2, 1), "F"), ("[:, 1:, 7:]", (0, 1, 2), "C")]:
        extbuf("copy", f"{source}{text}", out, "--axes", ",".join(map(str, axes)), "--order", order)
        view = eval(f"array{text}") if text else array
        same_bytes(out, view.transpose(axes), order)


def test_raw_bytes(tmp_path):
    rng = random.Random(SEED)
    source, out = tmp_path / "in.dump", tmp_path / "out.raw"
    array = random_array(rng, np.dtype("<i2"), (6, 7, 5)).copy()
    source.write_bytes(array.tobytes())
    for order in "CF":
        extbuf("copy", f"{source}[1:, ::-2]", out, "--format", "<h", "--shape", "6,7,5", "--order", order)
        assert out.read_bytes() == array[1:, ::-2].tobytes(order)
    # A header to skip is a slice, too.
    extbuf("copy", f"{source}[10:]", out, "--format", "B")
    assert out.read_bytes() == array.tobytes()[10:]


def photograph():
    from skimage import data

    return data.astronaut()


def write_png(path, pixels):
    from skimage import io

    io.imsave(path, pixels, check_contrast=False)


def read_png(path):
    from skimage import io

    return io.imread(path)


def test_a_photograph_through_separate_rows(tmp_path, capsys):
    rng = random.Random(SEED)
    photo = photograph()
    gray = photo[..., 1]
    alpha = np.dstack([photo, 255 - gray])
    deep = photo[..., 0].astype(np.uint16) * 200 + np.arange(512, dtype=np.uint16)
    compared, written = 0, 0
    for number, picture in enumerate([photo, gray, alpha, deep]):
        source, out = tmp_path / f"photo{number}.png", tmp_path / "out.npy"
        write_png(source, picture)
        assert np.array_equal(read_png(source), picture)
        extbuf("copy", source, out)
        compared += same_bytes(out, picture, "C")
        for _ in range(PICTURES // 4):
            entries, text = random_slice(rng, picture.shape)
            arguments = ["copy", f"{source}{text}", out]
            view = permuted(rng, picture[entries], arguments)
            order = rng.choice("CF")
            extbuf(*arguments, "--order", order)
            compared += same_bytes(out, np.asarray(view), order)
        # And back into a picture.
        back = tmp_path / "back.png"
        extbuf("copy", f"{source}[50:400, 300:20:-1]", back)
        assert np.array_equal(read_png(back), picture[50:400, 300:20:-1])
        written += 1
    with capsys.disabled():
        print(f"\n{PICTURES + 4} views of a photograph's rows: {compared:,} bytes of files equal; {written} pictures written")


def test_pictures_from_arrays(tmp_path):
    photo = photograph()
    source, out = tmp_path / "planes.npy", tmp_path / "out.png"
    np.save(source, np.asfortranarray(photo.transpose(2, 0, 1)))
    extbuf("copy", source, out, "--axes", "1,2,0")
    assert np.array_equal(read_png(out), photo)
    for dtype in ("<u2", ">u2"):
        np.save(source, photo[..., 0].astype(dtype) * 200)
        extbuf("copy", f"{source}[::-1]", out)
        assert np.array_equal(read_png(out), photo[::-1, :, 0].astype("u2") * 200)


def interlaced(pixels):
    """A PNG file of RGB pixels in the seven passes of Adam7, written out here since few libraries write any."""

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    parts = [pixels[y::dy, x::dx] for x, y, dx, dy in passes]
    lines = b"".join(b"\0" + row.tobytes() for part in parts if part.size for row in part)
    head = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], 8, 2, 0, 0, 1)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
    )


def test_pictures_stored_in_other_ways(tmp_path):
    from PIL import Image

    photo = photograph()[37:200, 11:150]
    image, out = Image.fromarray(photo), tmp_path / "out.npy"
    source = tmp_path / "in.png"
    for height, width in [(1, 1), (2, 5), (163, 139)]:
        source.write_bytes(interlaced(photo[:height, :width]))
        assert np.array_equal(read_png(source), photo[:height, :width])
        extbuf("copy", f"{source}[::-1]", out)
        same_bytes(out, photo[:height, :width][::-1], "C")
    for mode, shown in [("P", "RGB"), ("1", "L"), ("LA", "LA"), ("RGBA", "RGBA")]:
        stored = image.convert(mode)
        stored.save(source)
        extbuf("copy", f"{source}[3:, ::2]", out)
        same_bytes(out, np.asarray(stored.convert(shown))[3:, ::2], "C")
    # Sixteen bits in three samples: PNG stores the high byte first, the format is this machine's.
    deep = photo.astype("<u2") * 257 + 3
    np.save(out, deep)
    extbuf("copy", out, source)
    extbuf("copy", source, out, "--order", "F")
    same_bytes(out, deep.astype("=u2"), "F")


def test_the_output_may_be_the_input(tmp_path):
    array = np.arange(600, dtype="<i4").reshape(20, 30)
    file = tmp_path / "a.npy"
    np.save(file, array)
    extbuf("copy", f"{file}[::-1]", file, "--axes", "1,0")
    assert np.array_equal(np.load(file), array[::-1].T)


def damaged(tmp_path):
    """Files that are not what they claim, and the words that the program must say of each."""
    whole = tmp_path / "whole.npy"
    np.save(whole, np.arange(1000, dtype="<f8").reshape(50, 20))
    content = whole.read_bytes()

    def header(text, version=1):
        text = text.encode("latin1" if version < 3 else "utf8")
        length = len(text).to_bytes(2 if version == 1 else 4, "little")
        return b"\x93NUMPY" + bytes([version, 0]) + length + text

    def dictionary(descr="'<f8'", order="False", shape="(3,)"):
        return header(f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}") + bytes(24)

    png = tmp_path / "whole.png"
    write_png(png, photograph()[:40, :50])
    picture = png.read_bytes()
    return {
        "empty.npy": (b"", "does not begin with"),
        "cut.npy": (content[:-3], "7997"),
        "cut-header.npy": (content[:40], "30"),
        "cut-magic.npy": (content[:7], "cut off after 7"),
        "long.npy": (content + b"x", "8001"),
        "lying-header.npy": (content[:8] + b"\xff\xff" + content[10:], "65535"),
        "huge-header.npy": (b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + bytes(64), "4294967295"),
        "version.npy": (b"\x93NUMPY\x09\x00" + bytes(64), "9.0"),
        "garbage.npy": (header("{'descr': <f8}"), "not a Python dictionary"),
        "list.npy": (header("[1, 2]"), "not a Python dictionary"),
        "deep.npy": (header("[" * 5000 + "]" * 5000), "nests brackets deeper"),
        "missing.npy": (header("{'descr': '<f8', 'shape': (3,)}"), "fortran_order"),
        "extra.npy": (header("{'descr': '<f8', 'fortran_order': False, 'shape': (), 'x': 1}"), "'x'".replace("'", '"')),
        "order.npy": (dictionary(order="1"), "fortran_order"),
        "shape.npy": (dictionary(shape="(3, 'a')"), "tuple of numbers"),
        "negative.npy": (dictionary(shape="(-3,)"), "-3"),
        "overflow.npy": (dictionary(shape="(4294967296, 4294967296)"), "4294967296, 4294967296"),
        "wide.npy": (dictionary(shape="(99999999999999999999999,)"), "99999999999999999999999"),
        "axes.npy": (dictionary(shape="(" + "1, " * 65 + ")"), "65"),
        "object.npy": (dictionary(descr="'|O'"), "object"),
        "date.npy": (dictionary(descr="'<M8[ns]'"), "<M8[ns]"),
        "code.npy": (dictionary(descr="'<q8'"), "<q8"),
        "size.npy": (dictionary(descr="'<f7'"), "<f7"),
        "number.npy": (dictionary(descr="3"), "descr"),
        "field.npy": (dictionary(descr="[('a',)]"), "field"),
        "twice.npy": (dictionary(descr="[('a', '<f4'), ('a', '<f4')]"), "a"),
        "sign.png": (b"\x89PNX" + picture[4:], "does not begin with"),
        "cut.png": (picture[: len(picture) // 2], "cut short"),
        "head.png": (picture[:20], "cut short"),
        "crc.png": (picture[:20] + b"\x07" + picture[21:], "PNG"),
        "text.txt": (b"no array at all", "--format"),
    }


def test_damaged_files_get_one_clear_line(tmp_path, capsys):
    files = damaged(tmp_path)
    for name, (content, words) in files.items():
        path, out = tmp_path / name, tmp_path / "out.npy"
        path.write_bytes(content)
        for command in (["copy", path, out], ["show", path]):
            done = extbuf(*command, ok=False)
            assert done.returncode == 1, (name, done)
            lines = done.stderr.splitlines()
            assert len(lines) == 1 and lines[0].startswith("extbuf: ") and name in lines[0], (name, lines)
            assert words in lines[0], (name, lines)
            assert done.stdout == "", name
        assert not out.exists(), name
        assert not list(tmp_path.glob(".extbuf-*")), name
    with capsys.disabled():
        print(f"\n{len(files)} damaged files refused with one line each")


def test_show_reads_the_values_that_numpy_reads(tmp_path):
    """Equal bytes do not tell a wrong type; the value of an item does."""
    rng = random.Random(SEED)
    source = tmp_path / "in.npy"
    for dtype in (np.dtype(text) for text in SCALARS):
        if dtype.kind not in "biuf" or dtype.itemsize > 8:
            continue
        for _ in range(3):
            item = random_array(rng, dtype, (1,))
            np.save(source, item)
            shown = next(l for l in extbuf("show", source).stdout.splitlines() if l.startswith("  first item"))
            shown, expected = shown.split(maxsplit=2)[2], item[0]
            if dtype.kind == "f":
                assert float(shown) == float(expected) or np.isnan(expected) and shown.lower() == "nan", dtype
            else:
                assert shown.lower() == str(expected).lower(), dtype


@pytest.mark.filterwarnings("ignore:Stored array in format 3.0")
@pytest.mark.parametrize("dtype", RECORDS, ids=[str(number) for number in range(len(RECORDS))])
def test_records_survive_the_trip(tmp_path, dtype):
    source, out = tmp_path / "in.npy", tmp_path / "out.npy"
    array = random_array(random.Random(SEED), dtype, (4, 3))
    np.save(source, array, allow_pickle=False)
    extbuf("copy", source, out)
    assert np.load(out).dtype == np.load(source).dtype
    assert np.load(out).tobytes() == array.tobytes("C")
