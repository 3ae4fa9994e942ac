"""Everybody knows everybody's MAC beforehand, as podplane does: questions for MACs are cases of their own."""
from nodes import underlay_of
from shell import batch


def bare(address):
    """An address without its prefix length."""
    return address.split("/")[0]


def introduce(plan, switches):
    prefix, underlay = plan["prefix"], underlay_of(plan)
    gateways = {n["name"]: (bare(n["gateway"]), n["tunMac"]) for n in plan["nodes"]}
    batches = {}
    for node in plan["nodes"]:
        lines = [f"neigh replace {bare(p['address'])} lladdr {p['mac']} dev tun0" for p in plan["pods"]]
        lines += [f"neigh replace {bare(n['address'])} lladdr {n['mac']} dev {underlay}"
                  for n in plan["nodes"] if n is not node]
        lines += [f"neigh replace {a} lladdr {m} dev tun0" for name, (a, m) in gateways.items() if name != node["name"]]
        lines.append(f"neigh replace {plan['router']['gateway']} lladdr {plan['router']['mac']} dev {underlay}")
        batches[node["space"]] = lines
    for pod in plan["pods"]:
        lines = [f"neigh replace {bare(p['address'])} lladdr {p['mac']} dev eth0" for p in plan["pods"] if p is not pod]
        lines += [f"neigh replace {a} lladdr {m} dev eth0" for a, m in gateways.values()]
        batches[pod["space"]] = lines
    batches["ext"] = [f"neigh replace {bare(n['address'])} lladdr {n['mac']} dev eth0" for n in plan["nodes"]]
    for space, lines in batches.items():
        batch(prefix + space, lines)
    if underlay == "phys":
        for node in plan["nodes"]:
            switches[node["space"]].appctl(
                ["tnl/neigh/set", "phys", bare(other["address"]), other["mac"]]
                for other in plan["nodes"] if other is not node)
