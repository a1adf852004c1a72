"""A network namespace with a server in it, between which and us the line can be made to
lose everything.  For root only."""
import os
import shutil
import subprocess

import pytest


def run(*command, check=True):
    return subprocess.run(command, check=check, capture_output=True, text=True)


def why_not():
    """Why there can be no namespace here, or None."""
    if os.geteuid() != 0:
        return "network namespaces are for root"
    for program in ("ip", "nft"):
        if not shutil.which(program):
            return f"{program} is not installed"
    probe, device = f"analytics-probe-{os.getpid()}", f"ap{os.getpid() % 1000000}"
    try:
        run("ip", "netns", "add", probe)
        run("ip", "link", "add", device, "type", "veth", "peer", "name", "eth0",
            "netns", probe)
        run("ip", "netns", "exec", probe, "nft", "add table inet fault")
    except subprocess.CalledProcessError as error:
        return f"this machine lets nobody do it: {error.stderr.strip()}"
    finally:
        run("ip", "netns", "del", probe, check=False)  # and with it the device
    return None


class Namespace:
    """Reached at `address` from here, which is `here` from there."""

    def __init__(self, number):
        reason = why_not()
        if reason:
            pytest.skip(reason)
        self.name = f"analytics-{os.getpid()}-{number}"
        self.device = f"an{os.getpid() % 100000}x{number}"
        net = f"10.{200 + number}.{os.getpid() // 250 % 250}"
        self.here, self.address = f"{net}.1", f"{net}.2"
        run("ip", "netns", "add", self.name)
        run("ip", "link", "add", self.device, "type", "veth", "peer", "name", "eth0",
            "netns", self.name)
        run("ip", "addr", "add", f"{self.here}/30", "dev", self.device)
        run("ip", "link", "set", self.device, "up")
        for words in (["addr", "add", f"{self.address}/30", "dev", "eth0"],
                      ["link", "set", "eth0", "up"], ["link", "set", "lo", "up"]):
            run("ip", "-n", self.name, *words)

    def prefix(self):
        """What goes before a command that is to run inside."""
        return ["ip", "netns", "exec", self.name]

    def drop(self, port):
        """Packets to and from the port vanish: no RST, no ICMP."""
        for rule in ("add table inet fault",
                     "add chain inet fault in { type filter hook input priority 0; }",
                     f"add rule inet fault in tcp dport {port} drop"):
            run(*self.prefix(), "nft", rule)

    def pass_again(self):
        run(*self.prefix(), "nft", "delete table inet fault", check=False)

    def link(self, state):
        """The line itself, "up" or "down"."""
        run("ip", "-n", self.name, "link", "set", "eth0", state)

    def remove(self):
        run("ip", "link", "del", self.device, check=False)
        run("ip", "netns", "del", self.name, check=False)
