"""`make demo`: a tenant of three servers moves to a new cloud, comes back in part, moves for good, and leaves nothing behind."""

from __future__ import annotations

import os
import re
import sys
import textwrap
import time
from pathlib import Path

from demo.terminal import Broken, Terminal, plain
from demo.world import SPEED, World

ROOT = Path(__file__).parents[1]
HOME = ROOT / ".demo"
MANIFEST = "tenants/acme.yaml"
LISTED = "server list --no-name-lookup -c Name -c Status -c Networks"
ORDER = "order 4711: paid"


class Story:
    def __init__(self, world: World) -> None:
        self.world = world
        self.terminal = Terminal(world.site, _environment())

    def play(self) -> None:
        self.two_clouds()
        self.discover()
        self.choose_waves()
        self.prepare()
        self.replicate()
        self.cut_over_the_pilot()
        self.roll_it_back()
        self.cut_over_all()
        self.decommission()
        self.nothing_left()

    def two_clouds(self) -> None:
        self.terminal.chapter(
            "Two clouds",
            f"""An old OpenStack cloud (Queens) with an InfiniBox behind it, and a new one (Antelope) with another. Both are
            simulated, and their time runs {SPEED} times as fast. All else is real: the commands below talk to them over HTTP as they
            would to yours. The tenant acme runs a small shop on the old cloud:""",
        )
        self.terminal.run(f"openstack --os-cloud source-acme {LISTED}")
        self.terminal.quietly("git", "init", "-q")

    def discover(self) -> None:
        self.terminal.chapter(
            "Discover",
            """Millpond reads everything the tenant has: networks, ports, disks, servers, quotas, people. It writes an
            inventory, and the first time a manifest: the short file that people review and change from now on.""",
        )
        self.terminal.run("millpond discover acme --source-cloud source-admin --target-cloud target-admin --target-domain customers")
        self.terminal.run(f"cat {MANIFEST}")
        self._commit("Take acme in")

    def choose_waves(self) -> None:
        self.terminal.chapter(
            "Choose waves",
            """The disks of a wave are replicated as one, so waves are chosen first. A pull request makes web-1 the pilot.
            Nobody is cut over yet:""",
        )
        self._edit(
            "Choose a pilot",
            "  # Waves cut over one after the other; what no wave names forms the last one, `rest`. "
            "Choose them before the first apply: the disks\n  # of a wave replicate as one. A small first wave shows that all is well:\n"
            "  # waves:\n  #   - name: pilot\n  #     servers: [web-1]\n  #     cutover: false\n",
            "  waves:\n    - name: pilot\n      servers: [web-1]\n      cutover: false\n",
        )

    def prepare(self) -> None:
        self.terminal.chapter(
            "Plan and prepare",
            """The plan shows what is missing on the target so that acme could move. No server stops for it. It is long, so
            here is how it begins and how it ends:""",
        )
        self.terminal.excerpt("millpond plan acme", 26, 4)
        self.terminal.say("Apply does it: the same VLANs in the new cloud, empty disks, and a replica of every disk on the arrays.")
        self.terminal.excerpt("millpond apply acme", 6, 8)

    def replicate(self) -> None:
        self.terminal.chapter(
            "Replicate",
            """The arrays copy the disks while the servers run. In reality that takes hours or days, so apply does not stay for
            it: it may be run again at any time. Here it takes some seconds:""",
        )
        while "seeding" in self.terminal.run("millpond status acme"):
            time.sleep(2)
        self.terminal.say("All disks are in sync, and stay so. There is nothing to do until somebody turns a flag:")
        self.terminal.run("millpond plan acme")

    def cut_over_the_pilot(self) -> None:
        self.terminal.chapter("Cut over a first wave", "A pull request turns the flag of the pilot:")
        self._edit("Cut over the pilot", "      cutover: false\n", "      cutover: true\n")
        self.terminal.say(
            """The plan names first what stops, promotes or deletes, and estimates the outage. To fence is to make the old array's copy
            read-only, to promote is to make the new array's copy writable:"""
        )
        self.terminal.excerpt("millpond plan acme", 40, 4)
        self.terminal.say(
            "web-1 stops, its last writes are copied, its disk changes sides, and it boots on the new cloud with the same addresses:"
        )
        self.terminal.run("millpond apply acme")
        self.terminal.say(
            f"""The estimate counts what such steps typically take on real clouds: 15 s for a shutdown, 10 s for the last sync, 20 s for
            a boot. The simulated ones take about half of that, and their time runs {SPEED} times as fast. The report keeps how long each
            server was away, and what became of every object, for whoever asks later:"""
        )
        self.terminal.excerpt("millpond report acme", 26, 0)

    def roll_it_back(self) -> None:
        self.world.write("target", "web-1", ORDER)
        self.terminal.chapter(
            "Roll it back",
            f"""web-1 works on the new cloud and takes an order: it writes "{ORDER}" to its disk. Then somebody wants it back on
            the old cloud. The flag returns to false:""",
        )
        self._edit("Return the pilot", "      cutover: true\n", "      cutover: false\n")
        self.terminal.say(
            "But the target has written since. Millpond does not guess what shall become of that. It prints what is to be decided:"
        )
        printed = plain(self.terminal.run("millpond plan acme"))
        self.terminal.say("We want to keep the order, so the writes are carried back:")
        cut = re.search(r"cut: (\S+)", printed)
        if cut is None:
            raise Broken("the plan did not name the cut")
        block = f"      rollback:\n        cut: {cut[1]}\n        target_writes: carry_back\n"
        self._edit("Carry back what the pilot wrote", "      cutover: false\n", "      cutover: false\n" + block)
        self.terminal.run("millpond plan acme")
        self.terminal.run("millpond apply acme")
        kept = self.world.last_write("source", "web-1")
        self.terminal.say(f"""web-1 runs on the old cloud again. The last thing on its disk there: "{kept}".""")
        if kept != ORDER:
            raise Broken("the order was lost")

    def cut_over_all(self) -> None:
        self.terminal.chapter(
            "Cut over all, and switch the routes",
            """Everything moves now: the flag of the whole tenant is turned, and the pilot's own words go away. When the last
            server of a network has arrived, its gateway, routes and floating IPs move as well.""",
        )
        text = self._manifest()
        begin, end = text.index("      cutover: false\n"), text.index("carry_back\n") + len("carry_back\n")
        self._rewrite("Move acme", (text[:begin] + text[end:]).replace("  cutover: false ", "  cutover: true  ", 1))
        self.terminal.excerpt("millpond plan acme", 18, 5)
        self.terminal.run("millpond apply acme")
        self.terminal.say("The same servers with the same addresses, on the new cloud:")
        self.terminal.run(f"openstack --os-cloud target-admin {LISTED} --all-projects")

    def decommission(self) -> None:
        self.terminal.chapter(
            "Decommission",
            """The source still has everything, stopped and write-protected. Deleting it is the one step of the story with no
            way back, so it needs a flag, a time to soak (none in this demo), and an approval that names the digest: that of
            the state which these documents lead to, whoever plans it and when:""",
        )
        self._edit("Decommission acme", "  decommission: false ", "  soak: 0s\n  decommission: true  ")
        printed = plain(self.terminal.excerpt("millpond plan acme", 0, 24))
        self.terminal.say("Whoever may approve that commits the block as it was printed:")
        block = re.search(r"^ +approvals:\n(?: +\S.*\n)+", printed, re.MULTILINE)
        if block is None:
            raise Broken("the plan did not print the approval it needs")
        approval = textwrap.indent(textwrap.dedent(block[0]), "  ")
        self._rewrite("Approve the end of acme on the source", self._manifest() + approval)
        self.terminal.run("millpond apply acme")

    def nothing_left(self) -> None:
        self.terminal.chapter("Nothing is to be done", "Documents and clouds agree:")
        self.terminal.run("millpond plan acme")
        broken = self.world.control("GET", "/violations")["violations"]
        self.terminal.say(
            f"""All the time the sandbox watched for two running copies of a server, two writable copies of a disk, two live
            gateways, and lost writes. It saw {len(broken) or "none"}."""
        )
        if broken:
            raise Broken(str(broken))

    def _edit(self, title: str, before: str, after: str) -> None:
        text = self._manifest()
        if text.count(before) != 1:
            raise Broken(f"{MANIFEST} does not hold exactly once:\n{before}")
        self._rewrite(title, text.replace(before, after))

    def _rewrite(self, title: str, text: str) -> None:
        """As a pull request would: the file is changed, the difference is looked at, and it is merged."""
        (self.world.site / MANIFEST).write_text(text)
        self.terminal.run(f"git --no-pager diff -U1 {MANIFEST}")
        self._commit(title)

    def _commit(self, title: str) -> None:
        self.terminal.quietly("git", "add", "-A")
        self.terminal.quietly("git", "commit", "-q", "-m", title)

    def _manifest(self) -> str:
        return (self.world.site / MANIFEST).read_text()

    def closing(self, seconds: float) -> None:
        self.terminal.chapter("Play on", f"That took {seconds:.0f} seconds. Everything is left in .demo/, with one commit per decision:")
        self.terminal.run("git --no-pager log --oneline --reverse")
        port = self.world.port
        self.terminal.say(
            """The tenant of this story has moved for good. A larger one waits to be moved by you, on a world of its own: twelve
            servers, two routers, IPv6, a disk that two servers share, and one server that has to stay behind. From here:"""
        )
        self.terminal.lines(
            "    . .venv/bin/activate",
            f"    millpond sandbox --dir .demo/shop/sandbox --scenario shop --port {self.world.prepare_shop()} --speed {SPEED} &",
            "    cd .demo/shop/site",
            "    millpond discover acme --source-cloud source-admin --target-cloud target-admin --target-domain customers",
            "    git add -A && git commit -m 'Take acme in'",
            "    $EDITOR tenants/acme.yaml    # choose waves first: the disks of a wave replicate as one",
            "    millpond plan acme           # then apply and status; the flags are in the same file",
            "    kill %1                      # ends the sandbox; the same command starts it again where it was",
        )
        self.terminal.say("The world of this story has been stopped. It keeps its state, too:")
        self.terminal.lines(
            f"    millpond sandbox --dir .demo/sandbox --port {port} --speed {SPEED} &",
            "    cd .demo/site && millpond status       # or plan, drift, report",
            "    openstack --os-cloud target-admin server list --all-projects",
            "",
            "The same story from the beginning:  make demo",
        )


def _environment() -> dict[str, str]:
    """The commands of .venv first; git without anybody's configuration."""
    git = {
        f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in (("NAME", "you"), ("EMAIL", "you@demo.invalid"))
    }
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    unset = {"OS_CLOUD", "OS_CLIENT_CONFIG_FILE", "OS_CLIENT_SECURE_FILE", "GIT_DIR", "GIT_WORK_TREE"}
    own = {name: value for name, value in os.environ.items() if name not in unset}
    return {**own, **git, "PATH": programs, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "PYTHONWARNINGS": "ignore"}


def main() -> int:
    world = World(HOME)
    begun = time.monotonic()
    try:
        world.begin()
        story = Story(world)
        story.play()
        story.closing(time.monotonic() - begun)
    except Broken as error:
        print(f"\nThe demo stopped: {error}\nWhat it left behind is in {HOME}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        world.end()
    return 0


if __name__ == "__main__":
    sys.exit(main())
