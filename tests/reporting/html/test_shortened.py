from datetime import timedelta, timezone

from millpond.model.cutover import Cutover
from millpond.reporting.html.shortened import clock, filled, of_kind, of_tenant

from . import pages


def test_a_day_is_said_again_only_when_it_is_another_one() -> None:
    assert clock(pages.NOON + timedelta(seconds=62), pages.NOON) == "12:01:02"
    assert clock(pages.NOON + timedelta(hours=12), pages.NOON) == "2026-12-02 00:00:00"


def test_times_are_utc() -> None:
    assert clock(pages.NOON.astimezone(timezone(timedelta(hours=13))), pages.NOON) == "12:00:00"


def test_names_stand_alone_where_their_kind_is_said() -> None:
    assert of_kind(("acme/server/a/b", "acme/server/web-1")) == ("2 servers", ("a/b", "web-1"))
    assert of_kind(("acme/server/web-1", "acme/security_group/web")) == ("2 objects", ("server web-1", "security group web"))
    assert of_kind(()) == ("0 objects", ())
    assert of_tenant("acme/server_group/apart") == "server group apart"


def test_a_column_is_filled_by_one_row() -> None:
    rows = (Cutover("core", back=False, servers=(pages.DB,)), Cutover("", back=False, servers=(pages.WEB,)))
    assert filled(rows, "back", "wave", "slowest.estimated") == ("wave", "slowest.estimated")
    assert filled((), "wave") == ()
