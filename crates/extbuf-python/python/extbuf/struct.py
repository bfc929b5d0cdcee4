"""The struct module on the parser of extbuf: the same names, behaviour and errors."""

from ._extbuf import _struct

calcsize = _struct.calcsize
pack = _struct.pack
pack_into = _struct.pack_into
unpack = _struct.unpack
unpack_from = _struct.unpack_from
iter_unpack = _struct.iter_unpack
Struct = _struct.Struct
error = _struct.error
_clearcache = _struct._clearcache

__all__ = ["calcsize", "pack", "pack_into", "unpack", "unpack_from", "iter_unpack", "Struct", "error"]
