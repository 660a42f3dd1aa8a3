from __future__ import annotations

from textwrap import dedent

import pytest

from millpond.model.site import Approvers, ArraySystem, PoolEnd, PoolPair
from millpond.schemas import load_site
from millpond.schemas.site import FIND_OR_COPY
from tests.schemas.writing import SITE, SiteDirectory, lines

FULL = """\
apiVersion: millpond.dev/v1
kind: Site
metadata: {name: north}
spec:
  arrays:
    - {name: ibox-a, address: a.example, username: millpond, password_env: A, port: 8443, tls: false}
    - {name: ibox-b, address: b.example, username: millpond, password_file: b.password, verify: false, ca_file: ca.pem}
  pool_pairs:
    - {name: gold, source: {array: ibox-a, pool: p1}, target: {array: ibox-b, pool: p2}, cinder_host: h@b#p2}
  fabric: {driver: provider-vlan, physical_networks: {physnet1: physnet2}, fence_size: 8, options: {a: b}}
  maps: {flavors: {m1.small: m2.small}, networks: {ext: public}}
  replication: {adoption: manage, grouping: volume, sync_interval: 1m, rpo: 2m}
  image_metadata: {hw_disk_bus: virtio}
  limits: {requests: 4, poll: 200ms, boot_timeout: 1h}
  brakes: {servers_stopped: 20, lag_at_cutover: 90s}
  approvers: {cutover: ["@org/platform", cab@example.org], decommission: ["@org/storage"]}
  plan: {expires: 3d, cutover_expires: 30m}
  journal: postgresql+psycopg://millpond@db.example/journal
"""


def test_a_site_is_read_into_the_model(site: SiteDirectory) -> None:
    site.write("millpond.yaml", FULL)
    found = load_site(site.path)
    assert (found.name, found.directory, found.journal) == ("north", str(site.path), "postgresql+psycopg://millpond@db.example/journal")
    assert found.arrays == (
        ArraySystem("ibox-a", "a.example", "millpond", port=8443, tls=False, password_env="A"),
        ArraySystem("ibox-b", "b.example", "millpond", verify=False, ca_file="ca.pem", password_file="b.password"),
    )
    assert found.pool_pairs == (PoolPair("gold", PoolEnd("ibox-a", "p1"), PoolEnd("ibox-b", "p2"), "h@b#p2"),)
    assert (found.fabric.driver, found.fabric.physical_networks, found.fabric.fence_size) == ("provider-vlan", {"physnet1": "physnet2"}, 8)
    assert (found.maps.flavors, found.maps.networks, found.maps.roles) == ({"m1.small": "m2.small"}, {"ext": "public"}, {})
    assert (found.replication.adoption, found.replication.sync_interval, found.replication.rpo) == ("manage", 60, 120)
    assert (found.limits.requests, found.limits.poll, found.limits.boot_timeout, found.limits.builds) == (4, 0.2, 3600, 10)
    assert (found.brakes.servers_stopped, found.brakes.lag_at_cutover, found.brakes.cutovers) == (20, 90, 0)
    assert found.approvers == Approvers(("@org/platform", "cab@example.org"), (), ("@org/storage",))
    assert (found.expiry.plan, found.expiry.cutover) == (259200, 1800)


def test_an_empty_spec_is_all_defaults(site: SiteDirectory) -> None:
    site.write("millpond.yaml", SITE)
    assert load_site(site.path).limits.requests == 8


WRONG = {
    "two passwords": (
        "arrays: [{name: a, address: x, username: u, password_env: A, password_file: b}]",
        [
            "5:12: array `a` needs exactly one of `password_env` and `password_file` (the password is read from there at login; no document holds it)"
        ],
    ),
    "a password in the file": (
        "arrays: [{name: a, address: x, username: u, password: secret}]",
        ["5:47: unknown key `password` in `spec.arrays[0]` -> did you mean `password_env`?"],
    ),
    "repeated names": (
        "arrays: [{name: a, address: x, username: u, password_env: A}, {name: a, address: y, username: u, password_env: B}]",
        ["5:72: the name `a` is used twice in `spec.arrays` (the first is at millpond.yaml:5:19) -> give one of them another name"],
    ),
    "unknown array": (
        """\
        arrays: [{name: ibox-a, address: x, username: u, password_env: A}]
        pool_pairs: [{name: gold, source: {array: ibox-a, pool: p}, target: {array: ibox_b, pool: p}}]""",
        ["6:79: there is no array `ibox_b` -> did you mean `ibox-a`?"],
    ),
    "no arrays at all": (
        "pool_pairs: [{name: gold, source: {array: a, pool: p}, target: {array: b, pool: p}}]",
        ["5:45: there is no array `a` -> list it under `spec.arrays`", "5:74: there is no array `b` -> list it under `spec.arrays`"],
    ),
    "approvers that are no list": (
        "approvers: {cutover: platform}",
        ["5:24: `spec.approvers.cutover` must be a list of people or teams, but is `platform`"],
    ),
    "an approver without a name": (
        "approvers: {rollback: [' ']}",
        ['5:26: `spec.approvers.rollback[0]` must be a person or team such as "@org/platform", or a mail address, but is ` `'],
    ),
    "an approver without quotes": (
        "approvers: {cutover: [@org/platform]}",
        ["5:25: a value cannot begin with this character -> put the value between quotes"],
    ),
    "one array alone": (
        """\
        arrays: [{name: a, address: x, username: u, password_env: A}]
        pool_pairs: [{name: gold, source: {array: a, pool: p}, target: {array: a, pool: q}}]""",
        ["6:74: pool pair `gold` has both pools on array `a` (replication needs two arrays)"],
    ),
    "one pool twice": (
        """\
        arrays: [{name: a, address: x, username: u, password_env: A}, {name: b, address: y, username: u, password_env: B}]
        pool_pairs:
          - {name: gold, source: {array: a, pool: p}, target: {array: b, pool: p}}
          - {name: silver, source: {array: a, pool: p}, target: {array: b, pool: q}}""",
        [
            "8:30: pool `p` of array `a` is the source of `gold` and of `silver` (it would not be clear where its volumes go) -> delete one of the pairs"
        ],
    ),
    "a password in the journal's URL": (
        "journal: postgresql://millpond:hunter2@db/journal",
        [
            "5:12: the journal's URL holds a password (a password must not be in a document)"
            " -> delete `:PASSWORD` from the URL; PGPASSWORD, PGPASSFILE or ~/.pgpass can hold it"
        ],
    ),
    "a poll without unit": ("limits: {poll: 1}", ["5:18: `spec.limits.poll` must be a duration such as 500ms, 2s or 1m, but is `1`"]),
    "zero builds": ("limits: {builds: 0}", ["5:20: `spec.limits.builds` must be a whole number from 1 up, but is `0`"]),
}


@pytest.mark.parametrize(("spec", "expected"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_site_is_told(site: SiteDirectory, spec: str, expected: list[str]) -> None:
    body = "".join(f"  {line}\n" for line in dedent(spec).splitlines())
    site.write("millpond.yaml", SITE.replace("spec: {}\n", "spec:\n") + body)
    problems = lines(site.problems(lambda: load_site(site.path)))
    assert problems == [f"millpond.yaml:{line}" for line in expected]
    assert "hunter2" not in str(problems)


def test_a_missing_site_says_where_to_go(site: SiteDirectory) -> None:
    why = "millpond.yaml: there is no site file (a site's directory holds millpond.yaml and tenants/)"
    assert lines(site.problems(lambda: load_site(site.path))) == [f"{why} -> {FIND_OR_COPY}"]
    assert "examples/north" in FIND_OR_COPY
    site.write("millpond.yml", SITE)
    assert lines(site.problems(lambda: load_site(site.path))) == [f"{why} -> rename millpond.yml to millpond.yaml"]
    assert lines(site.problems(lambda: load_site(site.path / "nowhere"))) == [
        "nowhere: there is no such directory -> name the site's directory with -C DIR"
    ]
