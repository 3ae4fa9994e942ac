"""Builds pods: a namespace with eth0 into br0, addresses, routes, and what listens there."""
import socket

from nodes import not_for_the_stack
from shell import batch, inside, run
from spaces import plain


class Pods:
    def __init__(self):
        self.sockets = []
        self.silent = {}

    def build(self, plan, switches):
        prefix = plan["prefix"]
        for node in plan["nodes"]:
            host = prefix + node["space"]
            pods = [(index, pod) for index, pod in enumerate(plan["pods"]) if pod["node"] == node["name"]]
            if not pods:
                continue
            batch(host, [f"link add veth{index} mtu {plan['mtu']} type veth peer name eth0 netns {prefix}{pod['space']}"
                         for index, pod in pods] + [f"link set veth{index} up" for index, _ in pods])
            for index, pod in pods:
                self.build_one(plan, node, pod)
                if plan["datapath"] == "netdev":
                    not_for_the_stack(host, f"veth{index}")
            switches[node["space"]].vsctl(" -- ".join(
                f"add-port br0 veth{index} -- set interface veth{index} ofport_request={pod['ofport']}"
                for index, pod in pods))

    def build_one(self, plan, node, pod):
        space = plan["prefix"] + pod["space"]
        gateway = node["gateway"].split("/")[0]
        batch(space, [
            f"link set eth0 address {pod['mac']} mtu {plan['mtu']} up",
            f"addr add {pod['address']} dev eth0 noprefixroute",
            *[f"route add {network} dev eth0" for network in plan["clusterNetworks"]],
            f"route add default via {gateway} dev eth0 onlink",
        ])
        plain(space, "eth0")
        for protocol, port in pod["listen"]:
            self.listen(space, protocol, port)
        self.silence(space, True)

    def listen(self, space, protocol, port):
        kind = socket.SOCK_STREAM if protocol == "TCP" else socket.SOCK_DGRAM
        made = inside(space, lambda: socket.socket(socket.AF_INET, kind))
        self.sockets.append(made)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(("0.0.0.0", port))
        if protocol == "TCP":
            made.listen(64)

    def silence(self, space, silent):
        """A silent pod receives and answers nothing; the case sends what it wants answered itself."""
        if self.silent.get(space) == silent:
            return
        inside(space, lambda: run(f"iptables -P INPUT {'DROP' if silent else 'ACCEPT'}"))
        self.silent[space] = silent

    def close(self):
        for made in self.sockets:
            made.close()
        self.sockets, self.silent = [], {}
