//! What an item of a buffer is: struct and PEP 3118 format strings, parsed to a checked tree and back.
