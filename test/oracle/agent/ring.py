"""A packet socket whose frames the kernel copies as they pass. A plain one keeps clones of them, which the stack may write
into, and which make it cut a datagram anew instead of sending its fragments on as they came (ip_do_fragment)."""
import mmap
import socket
import struct

ETH_P_ALL = 3
SOL_PACKET, PACKET_RX_RING, PACKET_VERSION, TPACKET_V2 = 263, 5, 10, 1
PACKET_OUTGOING = 4
USER = 1
FRAME, BLOCK, BLOCKS = 1 << 12, 1 << 15, 16
FRAMES = BLOCK // FRAME * BLOCKS
# struct tpacket2_hdr: status, len, snaplen, mac, net, seconds, nanoseconds; then struct sockaddr_ll.
HEADER = struct.Struct("=IIIHHII")
KIND_AT = 32 + 10


class Ring:
    """`device` in the namespace of the caller."""

    def __init__(self, device):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.socket.setsockopt(SOL_PACKET, PACKET_VERSION, TPACKET_V2)
        self.socket.setsockopt(SOL_PACKET, PACKET_RX_RING, struct.pack("IIII", BLOCK, BLOCKS, FRAME, FRAMES))
        self.memory = mmap.mmap(self.socket.fileno(), BLOCK * BLOCKS)
        self.socket.bind((device, ETH_P_ALL))
        self.next = 0

    def fileno(self):
        return self.socket.fileno()

    def send(self, frame):
        self.socket.send(frame)

    def read(self):
        """All that has come: (time in ns, is outgoing, bytes)."""
        while True:
            at = self.next * FRAME
            status, _, size, mac, _, seconds, nanos = HEADER.unpack_from(self.memory, at)
            if not status & USER:
                return
            is_out = self.memory[at + KIND_AT] == PACKET_OUTGOING
            yield seconds * 10**9 + nanos, is_out, self.memory[at + mac:at + mac + size]
            struct.pack_into("=I", self.memory, at, 0)
            self.next = (self.next + 1) % FRAMES

    def close(self):
        self.memory.close()
        self.socket.close()
