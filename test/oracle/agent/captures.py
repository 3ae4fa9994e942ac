"""Sends frames at devices, and captures what every device sees."""
import base64
import select
import socket
import time

from ring import Ring
from shell import inside


class Captures:
    def __init__(self):
        self.sockets = {}
        self.space_of = {}
        self.poll = select.poll()

    def open(self, name, space, device):
        made = inside(space, lambda: Ring(device))
        self.sockets[name] = made
        self.space_of[name] = space
        self.poll.register(made.fileno(), select.POLLIN)

    def inject(self, request):
        """Send frames in order, each on one device; then collect what all devices saw until it is quiet."""
        self.collect(0.0, 0.2)
        for item in request["frames"]:
            frame = base64.b64decode(item["bytes"])
            if item["at"].endswith(":tun0"):
                self.send_from_stack(self.space_of[item["at"]], frame)
            else:
                self.sockets[item["at"]].send(frame)
        return {"events": self.collect(request["quiet"], request["limit"], request.get("expect", 0))}

    def send_from_stack(self, space, frame):
        """The node's own stack sends the packet: OUTPUT, routing, and its own Ethernet header."""
        def send():
            with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as made:
                try:
                    made.sendto(frame[14:], (socket.inet_ntoa(frame[30:34]), 0))
                except PermissionError:
                    pass  # OUTPUT refused it, which is what the case is about
        inside(space, send)

    def collect(self, quiet, limit, expect=0):
        """Events until `quiet` seconds bring no new one, or at once when `expect` have come and a short silence follows."""
        by_handle = {made.fileno(): (name, made) for name, made in self.sockets.items()}
        events, end = [], time.monotonic() + limit
        while time.monotonic() < end:
            pause = quiet if len(events) < expect or expect == 0 else min(quiet, 0.04)
            ready = self.poll.poll(pause * 1000)
            if not ready:
                break
            for handle, _ in ready:
                events += self.read(*by_handle[handle])
        events.sort(key=lambda event: event[0])
        return [{"tsNs": str(t), "at": n, "way": w, "bytes": b} for t, n, w, b in events]

    def read(self, name, made):
        """All that one socket holds, as (time, name, way, bytes)."""
        return [(stamp, name, "out" if is_out else "in", base64.b64encode(data).decode())
                for stamp, is_out, data in made.read()]

    def close(self):
        for made in self.sockets.values():
            made.close()
        self.sockets, self.space_of, self.poll = {}, {}, select.poll()
