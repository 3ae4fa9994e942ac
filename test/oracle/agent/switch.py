"""One node's Open vSwitch: its two daemons, and the ways to talk to them."""
import json
import os
import signal
import socket
import time

from shell import Failed, run


class Switch:
    def __init__(self, space, folder):
        """`folder` keeps database, sockets, logs and process numbers."""
        self.space = space
        self.folder = folder
        self.processes = []
        self.environment = dict(os.environ, OVS_RUNDIR=folder, OVS_LOGDIR=folder, OVS_DBDIR=folder)
        os.makedirs(folder, exist_ok=True)

    def start(self):
        folder = self.folder
        run(["ovsdb-tool", "create", f"{folder}/conf.db", "/usr/share/openvswitch/vswitch.ovsschema"])
        self.daemon("db", ["ovsdb-server", f"{folder}/conf.db", f"--remote=punix:{folder}/db.sock"])
        self.vsctl("--no-wait init")
        self.daemon("vs", ["ovs-vswitchd", f"unix:{folder}/db.sock"])

    def daemon(self, name, words):
        folder = self.folder
        run(["ip", "netns", "exec", self.space] + words + ["--detach", f"--pidfile={folder}/{name}.pid",
            f"--log-file={folder}/{name}.log", "-vconsole:off", f"--unixctl={folder}/{name}.ctl"],
            env=self.environment)
        with open(f"{folder}/{name}.pid") as file:
            self.processes.append(int(file.read()))

    def vsctl(self, words):
        return run(["ovs-vsctl", "--timeout=20", f"--db=unix:{self.folder}/db.sock"] + words.split())

    def ofctl(self, words, **options):
        return run(["ovs-ofctl", "-O", "OpenFlow13"] + words, env=self.environment, **options)

    def appctl(self, commands):
        """Answers to many commands (a method and its words each), by the socket that ovs-appctl uses, in one connection.
        A command that the switch refuses answers with what it said, behind `error: `."""
        with socket.socket(socket.AF_UNIX) as made:
            made.connect(f"{self.folder}/vs.ctl")
            return [self.ask(made, method, words) for method, *words in commands]

    def ask(self, made, method, words):
        made.sendall(json.dumps({"id": 0, "method": method, "params": words}).encode())
        text, reader = "", json.JSONDecoder()
        while True:
            data = made.recv(1 << 16)
            if not data:
                raise Failed(f"ovs-vswitchd of {self.space} went away at {method} {words}")
            text += data.decode()
            try:
                reply, _ = reader.raw_decode(text)
            except json.JSONDecodeError:
                continue
            return f"error: {reply['error']}" if reply["error"] is not None else reply["result"]

    def log(self):
        with open(f"{self.folder}/vs.log") as file:
            return file.read()[-4000:]

    def stop(self):
        for pid in reversed(self.processes):
            signal_to(pid, signal.SIGTERM)
        deadline = time.monotonic() + 5
        for pid in self.processes:
            while os.path.exists(f"/proc/{pid}") and time.monotonic() < deadline:
                time.sleep(0.02)
            signal_to(pid, signal.SIGKILL)
        self.processes = []


def signal_to(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass
