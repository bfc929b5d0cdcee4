"""Runs CPython's own tests of `struct` and prints what they ask it, one question a line.

Every text that `test.test_struct` hands to the module is one `size` line, with the size that the module answers or `-`
where it refuses; every text with bytes that it packs or unpacks is one `struct` line, as `answer.py` reads them. The
questions are those of the interpreter at hand; nothing of its tests is kept here.
"""

import io
import struct
import sys
import unittest

sizes, packed = {}, {}
real = {name: getattr(struct, name) for name in ("calcsize", "pack", "unpack", "unpack_from", "iter_unpack", "pack_into")}


def note(text, data=None):
    text = text.encode() if isinstance(text, str) else text
    if not isinstance(text, bytes):
        return
    try:
        sizes[text] = real["calcsize"](text)
    except struct.error:
        sizes[text] = None
    if data is not None and sizes[text] is not None and len(data) >= sizes[text]:
        packed[text, bytes(data[: sizes[text]])] = None


def recorder(name):
    def call(*args, **kwargs):
        if args:
            note(args[0])
        result = real[name](*args, **kwargs)
        if name == "pack":
            note(args[0], result)
        elif name in ("unpack", "iter_unpack") and len(args) > 1:
            note(args[0], bytes(args[1]))
        elif name == "unpack_from" and len(args) > 1:
            offset = args[2] if len(args) > 2 else kwargs.get("offset", 0)
            note(args[0], bytes(args[1])[offset:])
        return result

    return call


for name in real:
    setattr(struct, name, recorder(name))

try:
    import test.test_struct  # after the recorder is in place
except ImportError:
    # Some distributions ship the interpreter's tests as a package of their own.
    print("absent")
    sys.exit()

suite = unittest.defaultTestLoader.loadTestsFromModule(test.test_struct)
unittest.TextTestRunner(stream=io.StringIO()).run(suite)

for text, size in sizes.items():
    sys.stdout.write(f"size {text.hex()} {'-' if size is None else size}\n")
for text, data in packed:
    sys.stdout.write(f"struct {text.hex()} {data.hex()}\n")
