"""Builds a node: its place on the wire, br0 with vxlan0 and tun0, routes, flows and iptables rules."""
import json
import time

from shell import batch, inside, run
from spaces import plain, plug
from switch import Switch


def underlay_of(plan):
    """Userspace Open vSwitch sends tunnel frames by a bridge of its own, which has the node's address then."""
    return "phys" if plan["datapath"] == "netdev" else "eth0"


def build_node(plan, node, index):
    """The node's switch, running."""
    prefix, space = plan["prefix"], plan["prefix"] + node["space"]
    plug(f"{prefix}net", space, f"w{index}", node["mac"])
    switch = Switch(space, f"{plan['folder']}/{node['space']}")
    try:
        switch.start()
        configure(plan, node, space, switch)
    except BaseException:
        switch.stop()
        raise
    return switch


def configure(plan, node, space, switch):
    underlay = underlay_of(plan)
    if underlay == "phys":
        switch.vsctl("add-br phys -- set bridge phys datapath_type=netdev "
                     f"other_config:hwaddr={json.dumps(node['mac'])} -- add-port phys eth0")
        not_for_the_stack(space, "eth0")
        run(f"ip -n {space} link set phys up")
        plain(space, "phys")
    batch(space, [f"addr add {node['address']} dev {underlay}",
                  f"route add default via {plan['router']['gateway']} dev {underlay}"])
    switch.vsctl(
        f"add-br br0 -- set bridge br0 datapath_type={plan['datapath']} fail_mode=secure protocols=OpenFlow13"
        " -- add-port br0 vxlan0 -- set interface vxlan0 type=vxlan options:remote_ip=flow options:key=flow"
        f" options:dst_port={plan['vxlanPort']} ofport_request=1"
        f" -- add-port br0 tun0 -- set interface tun0 type=internal ofport_request=2 mtu_request={plan['mtu']}"
        f" mac={json.dumps(json.dumps(node['tunMac']))}")
    switch.ofctl(["set-frags", "br0", "nx-match"])
    batch(space, [
        f"link set tun0 address {node['tunMac']} up",
        f"addr add {node['gateway']} dev tun0 noprefixroute",
        *[f"route add {network} dev tun0 scope link" for network in plan["clusterNetworks"]],
        *[f"route add {network} dev tun0" for network in plan["serviceNetworks"]],
    ])
    plain(space, "tun0")
    inside(space, forward)
    if node["groups"]:
        switch.ofctl(["add-groups", "br0", "-"], text=node["groups"])
    switch.ofctl(["replace-flows", "br0", "-"], text=node["flows"])
    inside(space, lambda: run(["iptables-restore"], text=node["iptables"]))


def forward():
    with open("/proc/sys/net/ipv4/ip_forward", "w") as file:
        file.write("1")


def not_for_the_stack(space, device):
    """Userspace OVS reads by AF_PACKET, before this drop; the node's own stack must not see the frame too."""
    run(f"ip netns exec {space} tc qdisc add dev {device} clsact")
    run(f"ip netns exec {space} tc filter add dev {device} ingress bpf da bytecode".split() + ["1,6 0 0 2"])


def wait_ready(plan):
    """Until the kernel has the tunnel's device: a bridge younger than this takes no packets."""
    if plan["datapath"] == "netdev":
        return
    deadline = time.time() + 20
    for node in plan["nodes"]:
        while time.time() < deadline:
            text = inside(plan["prefix"] + node["space"], lambda: open("/proc/net/dev").read())
            if f"vxlan_sys_{plan['vxlanPort']}:" in text:
                break
            time.sleep(0.05)
