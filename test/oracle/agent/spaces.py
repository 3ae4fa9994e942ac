"""Network namespaces and the wire between nodes: a bridge in a namespace of its own."""
import ctypes
import fcntl
import socket
import struct

from shell import inside, run

SIOCETHTOOL = 0x8946
ETHTOOL_STXCSUM = 0x17
SETTINGS = [
    ("ipv6/conf/all/disable_ipv6", "1"), ("ipv6/conf/default/disable_ipv6", "1"),
    ("ipv4/conf/all/rp_filter", "0"), ("ipv4/conf/default/rp_filter", "0"),
    ("ipv4/conf/all/send_redirects", "0"), ("ipv4/conf/default/send_redirects", "0"),
    ("ipv4/icmp_ratemask", "0"), ("ipv4/icmp_ratelimit", "0"), ("ipv4/tcp_synack_retries", "0"),
]


def plain(space, device):
    """No checksum offload: what is captured must be what a wire would carry."""
    value = ctypes.create_string_buffer(struct.pack("II", ETHTOOL_STXCSUM, 0))
    request = struct.pack("16sP", device.encode(), ctypes.addressof(value))

    def switch_off():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
            fcntl.ioctl(made, SIOCETHTOOL, request)
    inside(space, switch_off)


def tune():
    """The settings that podplane assumes; some kernels have not got all of them."""
    for path, value in SETTINGS:
        try:
            with open(f"/proc/sys/net/{path}", "w") as file:
                file.write(value)
        except OSError:
            pass


class Spaces:
    def __init__(self):
        self.names = []

    def make(self, name):
        run(f"ip netns add {name}")
        self.names.append(name)
        run(f"ip -n {name} link set lo up")
        inside(name, tune)

    def delete_all(self):
        for name in reversed(self.names):
            run(f"ip netns del {name}", check=False)
        self.names = []


def lay_wire(net):
    run(f"ip -n {net} link add wire type bridge mcast_snooping 0 stp_state 0 forward_delay 0")
    run(f"ip -n {net} link set wire up")


def plug(net, space, port, mac):
    """Give `space` an eth0 on the wire."""
    run(f"ip -n {net} link add {port} type veth peer name eth0 netns {space}")
    run(f"ip -n {space} link set eth0 address {mac} up")
    run(f"ip -n {net} link set {port} master wire up")
    # Known from the start, or the first frame to it would be flooded.
    run(f"bridge -n {net} fdb replace {mac} dev {port} master static")
    plain(space, "eth0")
    plain(net, port)
