"""Runs programs, and does things inside a network namespace."""
import ctypes
import os
import subprocess

libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000
HOME = os.open("/proc/self/ns/net", os.O_RDONLY)


class Failed(Exception):
    pass


def run(command, text=None, check=True, **options):
    """Run a command line (a list, or words in one string); its output, or Failed with what it said."""
    words = command.split() if isinstance(command, str) else command
    done = subprocess.run(words, input=text, capture_output=True, text=True, **options)
    if check and done.returncode != 0:
        raise Failed(f"{' '.join(words)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def inside(space, action):
    """Do `action` in a network namespace; sockets made there stay there."""
    handle = os.open(f"/run/netns/{space}", os.O_RDONLY)
    try:
        if libc.setns(handle, CLONE_NEWNET) != 0:
            raise Failed(f"setns {space}: {os.strerror(ctypes.get_errno())}")
        return action()
    finally:
        libc.setns(HOME, CLONE_NEWNET)
        os.close(handle)


def batch(space, lines):
    """Many `ip` commands in one process."""
    run(f"ip -n {space} -batch -", text="\n".join(lines) + "\n")
