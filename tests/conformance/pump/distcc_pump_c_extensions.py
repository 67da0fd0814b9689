"""The C helper of distcc's include server, in Python.

The helper of distcc 3.4 does not work on Python 3.10 and later: it lacks a macro that these insist on. A module of the
same name earlier on the path takes its place. It knows the packets of the distcc protocol (a token of four letters,
a number of eight hexadecimal digits) and LZO blocks of literals only.
"""

import os

END_OF_BLOCK = b"\x11\0\0"


def OsPathExists(path):
    return os.path.exists(path)


def OsPathIsFile(path):
    return os.path.isfile(path)


def Realpath(path):
    """The path without links; as it is if nothing is there."""
    return os.path.realpath(path) if os.path.exists(path) else path


def RTokenString(fd, token):
    return os.fsdecode(_read(fd, _read_head(fd, token)))


def RCwd(fd):
    return RTokenString(fd, "CDIR")


def RArgv(fd):
    return [RTokenString(fd, "ARGV") for _ in range(_read_head(fd, "ARGC"))]


def XArgv(fd, arguments):
    packets = [b"ARGC%08x" % len(arguments)]
    for argument in map(os.fsencode, arguments):
        packets.append(b"ARGV%08x" % len(argument) + argument)
    rest = b"".join(packets)
    while rest:
        rest = rest[os.write(fd, rest):]


def CompressLzo1xAlloc(data):
    if isinstance(data, str):
        data = data.encode()
    if not data:
        return END_OF_BLOCK
    if len(data) <= 238:
        return bytes([17 + len(data)]) + data + END_OF_BLOCK
    zeros, last = divmod(len(data) - 18 - 1, 255)
    return b"\0" + b"\0" * zeros + bytes([last + 1]) + data + END_OF_BLOCK


def _read_head(fd, token):
    head = _read(fd, 12)
    if head[:4] != token.encode():
        raise SystemError(f"expected {token}, found {head!r}")
    return int(head[4:], 16)


def _read(fd, length):
    data = b""
    while len(data) < length:
        piece = os.read(fd, length - len(data))
        if not piece:
            raise SystemError("the client has gone")
        data += piece
    return data
