"""Where the bars of a cutover lie."""

from dataclasses import replace
from datetime import timedelta

import pytest

from millpond.model.cutover import Cutover
from millpond.reporting.html.phases import Named, Phase
from millpond.reporting.html.timeline import MOST, PLOT, Timeline, short_name, timeline

from . import pages

NOW = pages.NOON + timedelta(seconds=61)


def drawn(cutover: Cutover = pages.OVER) -> Timeline:
    return timeline(cutover, NOW)


def test_the_longest_outage_comes_first_and_is_the_critical_one() -> None:
    assert [(row.name, row.critical, row.measured, row.estimated) for row in drawn().rows] == [
        ("db-1", True, "1 min 4 s", "1 min 12 s"),
        ("web-1", False, "42 s", "52 s"),
    ]


def test_bars_lie_on_one_scale_without_gaps() -> None:
    found = drawn()
    scale = PLOT / 72.2  # the estimate of db-1, which begins 0.2 s after the first
    for row, server in zip(found.rows, (pages.DB, pages.WEB), strict=True):
        assert row.width == pytest.approx((server.seconds or 0) * scale)
        assert row.segments[0].x == pytest.approx(row.x)
        for one, two in zip(row.segments, row.segments[1:], strict=False):
            assert one.x + one.width == pytest.approx(two.x)
        assert sum(segment.width for segment in row.segments) == pytest.approx(row.width)
        assert row.x + row.width <= PLOT + 0.001


def test_neighbours_of_one_kind_are_one_bar_and_say_all_of_it() -> None:
    segments = drawn().rows[0].segments
    assert [segment.stretch.phase for segment in segments] == [
        Phase.STOP, Phase.SYNC, Phase.SIDES, Phase.PREPARE, Phase.BOOT, Phase.BOOT, Phase.VERIFY,
    ]  # fmt: skip
    assert segments[2].stretch.words == "core-p1: suspend, core-p1: fence, core-p1: promote"
    assert segments[2].stretch.seconds == pytest.approx(2.8)


def test_another_servers_step_is_told_apart() -> None:
    others = [(segment.stretch.phase, segment.label) for segment in drawn().rows[0].segments if segment.stretch.of]
    assert others == [(Phase.BOOT, "web-1: boot")]
    assert drawn().has_others


def test_what_the_longest_outage_waited_for_is_marked_in_every_row() -> None:
    web = drawn().rows[1].segments
    assert [(segment.stretch.words.split()[0], segment.stretch.critical) for segment in web] == [
        ("web-1", False), ("db-1", True), ("last", True), ("core-p1:", True), ("web-1", True), ("web-1", False),
    ]  # fmt: skip


def test_a_label_is_left_out_where_it_does_not_fit() -> None:
    labels = {segment.stretch.phase: segment.label for segment in drawn().rows[0].segments}
    assert labels[Phase.STOP] == "shutdown"
    assert labels[Phase.VERIFY] == ""


def test_a_phone_has_room_for_fewer_labels() -> None:
    assert [(segment.label, segment.short) for segment in drawn().rows[0].segments if segment.label] == [
        ("shutdown", False), ("last sync", False), ("web-1: boot", False), ("boot", True),
    ]  # fmt: skip
    assert [tick.even for tick in drawn().ticks[:3]] == [True, False, True]


def test_ticks_are_round_and_few() -> None:
    ticks = drawn().ticks
    assert [tick.label for tick in ticks] == ["0 s", "10 s", "20 s", "30 s", "40 s", "50 s", "1 min", "1 min 10 s"]
    assert ticks[0].x == 0
    assert all(tick.x <= PLOT for tick in ticks)


def test_an_estimate_that_was_far_too_long_does_not_make_the_bars_small() -> None:
    far = replace(pages.OVER, servers=(replace(pages.DB, estimated=7200.0),))
    (row,) = drawn(far).rows
    assert row.width == pytest.approx(PLOT / 2)
    assert row.estimate_cut
    assert row.x + row.estimate_width == pytest.approx(PLOT)
    assert drawn(far).has_cut
    assert not any(each.estimate_cut for each in drawn().rows)
    assert not drawn().has_cut


def test_a_server_that_is_still_down_reaches_until_now() -> None:
    (row,) = drawn(pages.BACK).rows
    assert (row.measured, row.down) == ("down for 1 min 1 s", True)


def test_only_so_many_are_drawn() -> None:
    many = replace(pages.OVER, servers=tuple(replace(pages.WEB, address=f"acme/server/web-{n}") for n in range(MOST + 5)))
    assert (len(drawn(many).rows), drawn(many).hidden) == (MOST, 5)


def test_an_outage_of_no_time_can_be_drawn() -> None:
    nothing = replace(pages.WEB, ended=pages.WEB.began, estimated=0.0, waits=())
    (row,) = drawn(replace(pages.OVER, servers=(nothing,))).rows
    assert (row.width, row.segments) == (0.0, ())


def test_long_names_keep_their_ends() -> None:
    assert short_name("acme/server/worker-in-the-north-of-the-old-town@52a409a3") == "worker-in-the…52a409a3"
    assert short_name("acme/server/web-1") == "web-1"


@pytest.mark.parametrize(
    ("step", "phase", "words"),
    [
        ("acme/source_server/web-1#stop", Phase.STOP, "web-1 shuts down"),
        ("acme/source_server/web-1#time_return", Phase.STOP, "the array's time after web-1 stopped"),
        ("acme/replication_group/core#reverse_sync", Phase.SYNC, "last sync of core"),
        ("acme/replication_group/core#demote", Phase.SIDES, "core: demote"),
        ("acme/port/web-1-eth0#create_inside", Phase.PREPARE, "port web-1-eth0: create_inside"),
        ("acme/source_server/web-1#boot", Phase.BOOT, "the boot of web-1 is written down"),
        ("acme/source_server/web-1#start", Phase.BOOT, "web-1 boots"),
        ("acme/segment/edge#switch", Phase.OTHER, "segment edge: switch"),
        ("acme/server/a/b#create", Phase.BOOT, "a/b boots"),
    ],
)
def test_steps_are_told_in_words(step: str, phase: Phase, words: str) -> None:
    assert (Named.of(step).phase, Named.of(step).words) == (phase, words)


def test_one_that_is_still_down_comes_before_longer_ones_that_ended() -> None:
    found = drawn(replace(pages.OVER, servers=(pages.DB, replace(pages.WEB, ended=None))))
    assert [(row.name, row.critical) for row in found.rows] == [("web-1", True), ("db-1", False)]
