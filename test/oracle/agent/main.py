#!/usr/bin/env python3
"""The witness's hands: reads a JSON object a line, answers a JSON object a line.

Runs on the machine itself (--stdio) or in the guest (--port FILE); --modules lists what Python needs to run it.
"""
import json
import os
import signal
import sys
import time

from shell import Failed
from witness import Witness

OPERATIONS = ("hello", "build", "inject", "stacks", "rules", "appctl", "log", "teardown")


def serve(reader, writer):
    witness = Witness()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        for line in reader:
            try:
                reply = answer(witness, json.loads(line))
            except (Failed, OSError, KeyError, ValueError) as problem:
                reply = {"error": f"{type(problem).__name__}: {problem}"}
            writer.write(json.dumps(reply) + "\n")
            writer.flush()
    finally:
        witness.teardown({})


def answer(witness, request):
    operation = request["op"]
    if operation not in OPERATIONS:
        raise Failed(f"no operation {operation}")
    return getattr(witness, operation)(request)


def iter_lines(raw):
    """Lines of a port that gives nothing, instead of waiting, while nobody is connected to its other end.
    Whoever was connected and has gone leaves the guest without a use: the lines end."""
    rest, was_connected = b"", False
    while True:
        data = raw.read(65536)
        if not data:
            if was_connected:
                return
            time.sleep(0.05)
            continue
        was_connected = True
        *lines, rest = (rest + data).split(b"\n")
        yield from lines


def list_modules():
    """Files of Python's own that this program loads, one a line."""
    import encodings.ascii, encodings.latin_1, encodings.utf_8  # noqa: E401,F401 what Python may ask for at start
    import locale, site, runpy, io, abc, codecs  # noqa: E401,F401
    own = os.path.dirname(os.path.abspath(__file__)) + "/"
    files = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
    for file in sorted(f for f in files if f and not os.path.abspath(f).startswith(own)):
        print(os.path.realpath(file) if file.endswith(".so") else file)


def main():
    if sys.argv[1:] == ["--modules"]:
        list_modules()
    elif sys.argv[1:2] == ["--port"]:
        # One handle for both ways: the port can be opened once only.
        handle = os.open(sys.argv[2], os.O_RDWR)
        serve(iter_lines(os.fdopen(handle, "rb", buffering=0, closefd=False)), os.fdopen(os.dup(handle), "w"))
    else:
        serve(sys.stdin, sys.stdout)


if __name__ == "__main__":
    main()
