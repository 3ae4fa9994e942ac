"""The witness: what a plan says, built, asked and taken down again. Names, addresses, flows and rules all come in the plan."""
import os
import shutil

from captures import Captures
from neighbours import introduce
from nodes import build_node, wait_ready
from pods import Pods
from shell import run
from spaces import Spaces, lay_wire, plug


class Witness:
    def __init__(self):
        self.spaces = Spaces()
        self.switches = {}
        self.pods = Pods()
        self.captures = Captures()
        self.folder = ""

    def hello(self, _request):
        return {"kernel": os.uname().release, "ovs": run("ovs-vswitchd --version").splitlines()[0]}

    def build(self, request):
        try:
            self.build_all(request["plan"])
        except BaseException:
            self.teardown({})
            raise
        return {}

    def build_all(self, plan):
        prefix = plan["prefix"]
        self.folder = plan["folder"]
        os.makedirs(self.folder, exist_ok=True)
        for space in ["net", "ext"] + [n["space"] for n in plan["nodes"]] + [p["space"] for p in plan["pods"]]:
            self.spaces.make(prefix + space)
        lay_wire(f"{prefix}net")
        plug(f"{prefix}net", f"{prefix}ext", "wx", plan["router"]["mac"])
        self.pods.silence(f"{prefix}ext", True)
        for address in plan["router"]["addresses"]:
            run(f"ip -n {prefix}ext addr add {address} dev eth0")
        for index, node in enumerate(plan["nodes"]):
            self.switches[node["space"]] = build_node(plan, node, index)
        self.pods.build(plan, self.switches)
        introduce(plan, self.switches)
        for hop in plan["captures"]:
            self.captures.open(hop["name"], prefix + hop["space"], hop["device"])
        wait_ready(plan)

    def inject(self, request):
        return self.captures.inject(request)

    def stacks(self, request):
        for space, silent in request["silent"].items():
            self.pods.silence(request["prefix"] + space, silent)
        return {}

    def rules(self, request):
        """What the kernel and the switch hold now, in their own words."""
        node = request["node"]
        switch = self.switches[node["space"]]
        return {
            "flows": switch.ofctl(["dump-flows", "--no-stats", "br0"]),
            "iptables": run(f"ip netns exec {request['prefix']}{node['space']} iptables-save"),
            "difference": switch.ofctl(["diff-flows", "br0", "-"], text=node["flows"], check=False),
        }

    def appctl(self, request):
        """What ovs-vswitchd of a node answers to many commands."""
        return {"answers": self.switches[request["space"]].appctl(request["commands"])}

    def log(self, request):
        """The end of what the switch of a node has said, for a witness that does not work."""
        return {"log": self.switches[request["space"]].log()}

    def teardown(self, _request):
        self.captures.close()
        self.pods.close()
        for switch in self.switches.values():
            switch.stop()
        self.switches = {}
        self.spaces.delete_all()
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder = ""
        return {}
