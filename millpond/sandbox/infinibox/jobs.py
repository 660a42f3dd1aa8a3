"""Sync jobs of the replicas whose source is this array: when they run, how long they take, what they copy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from millpond.sandbox.core.store import Row
from millpond.sandbox.infinibox import content
from millpond.sandbox.infinibox.firmware import STALL_LIMIT

if TYPE_CHECKING:
    from millpond.sandbox.infinibox.array import InfiniBox

LINK_POLL = 60.0
"""Virtual seconds between two looks at an interrupted link."""


class Jobs:
    """A job copies, when it ends, the snapshot that was taken when it started.

    Job fields: `state`, `is_initial`, `start_time` (ms), `bytes` to send, `done` bytes up to `since` (virtual seconds, None while nothing
    flows), `rate`; `contents`, `used` and `claimed` per local volume: its data, its used bytes and its changed bytes at the start.
    """

    def __init__(self, box: InfiniBox) -> None:
        self.box = box
        events = box.world.events
        for name, function in (
            ("job_ended", self._ended),
            ("sync_due", self._due),
            ("stalled_out", self._stalled_out),
            ("link_poll", self._poll_link),
        ):
            events.on(f"{box.name}/{name}", function)

    def begin(self, replica: Row) -> Row:
        """Starts a job, or queues an initial one when as many as the array allows are running; returns the job."""
        self._cancel(replica["due"])
        initial = any(not pair["_initialised"] for pair in replica["entity_pairs"])
        job: Row = {
            "id": self.box.next_id(),
            "is_initial": initial,
            "state": "PENDING",
            "start_time": None,
            "since": None,
            "bytes": 0,
            "done": 0.0,
        }
        if not initial or self._initialising() < self.box.world.settings.limits.initialisations:
            job.update(self._snapshot(replica, initial))
        self.box.replicas.table.update(replica["id"], job=job, due="", pending=False)
        if job["since"] is not None:
            self._flow(replica)
        return job

    def _initialising(self) -> int:
        jobs = [replica["job"] for replica in self.box.replicas.table if replica["job"]]
        return sum(job["is_initial"] and job["state"] != "PENDING" for job in jobs)

    def _snapshot(self, replica: Row, initial: bool) -> Row:
        rates, clock = self.box.world.settings.rates, self.box.world.clock
        contents, used, claimed, size = {}, {}, {}, 0
        for pair in replica["entity_pairs"]:
            id = str(pair["local_entity_id"])
            here, there = self.box.volumes.get(id), self.box.peer_of(replica).volumes.get(pair["remote_entity_id"])
            contents[id], used[id], claimed[id] = here["content"], here["used"], here["unsynced"]
            size += here["unsynced"] + there["unsynced"] if pair["_initialised"] else here["used"]
            self.box.volumes.change(id, unsynced=0)
        return {
            "state": "INITIALIZING" if initial else "REPLICATING",
            "start_time": clock.ms(),
            "since": clock.now(),
            "bytes": size,
            "rate": max(rates.seed if initial else rates.sync, 1.0),
            "contents": contents,
            "used": used,
            "claimed": claimed,
        }

    def _flow(self, replica: Row) -> None:
        """Lets the rest of the job's bytes flow, or stalls it at once when the link is down."""
        job = replica["job"]
        rest = (job["bytes"] - job["done"]) / job["rate"]
        least = self.box.world.settings.delays.sync_min if job["done"] == 0 else 0.0
        delay = max(rest, least)
        event = self.box.world.events.at(delay, f"{self.box.name}/job_ended", replica_id=replica["id"], job_id=job["id"])
        self._change(replica, event=event)
        if not self.box.links.is_up():
            self._stall(replica)

    def _ended(self, replica_id: str, job_id: int) -> None:
        replica = self.box.replicas.table.get(replica_id)
        if replica is None or not replica["job"] or replica["job"]["id"] != job_id:
            return
        if not self.box.links.is_up():
            self._stall(replica)
        elif not self._fits(replica):
            self.auto_suspend(replica, "TARGET_POOL_FULL")
        else:
            self._copy(replica)
            self._finish(replica)
        self.next_pending()

    def _fits(self, replica: Row) -> bool:
        """Whether what the targets grow by is free in their pool."""
        peer, growth = self.box.peer_of(replica), 0
        for pair in replica["entity_pairs"]:
            target = peer.volumes.get(pair["remote_entity_id"])
            growth += max(0, replica["job"]["used"][str(pair["local_entity_id"])] - target["used"])
        pool = peer.pools.get(target["pool"])
        return growth <= 0 or growth <= peer.pools.free_physical(pool)

    def _copy(self, replica: Row) -> None:
        job, peer, pairs = replica["job"], self.box.peer_of(replica), []
        for pair in replica["entity_pairs"]:
            id = str(pair["local_entity_id"])
            target = peer.volumes.get(pair["remote_entity_id"])
            data = content.mixed(job["contents"][id], target["content"]) if pair["_diverged"] else job["contents"][id]
            peer.volumes.replace(target["id"], data, max(job["used"][id], target["used"] if pair["_initialised"] else 0))
            pairs.append({**pair, "_initialised": True, "_base": job["contents"][id]})
        self.box.replicas.set_pairs(replica, pairs)

    def _finish(self, replica: Row) -> None:
        started, now = replica["job"]["start_time"], self.box.world.clock.ms()
        self.box.replicas.table.update(replica["id"], job=None, restore_point=started, last_synchronized=now)
        twin = self.box.replicas.twin(replica)
        if twin is not None:
            self.box.peer_of(replica).replicas.table.update(twin["id"], restore_point=started, last_synchronized=now)
        if replica["pending"]:
            self.begin(replica)
            return
        delay = max(0.0, started + replica["sync_interval"] - now) / 1000
        due = self.box.world.events.at(delay, f"{self.box.name}/sync_due", replica_id=replica["id"])
        self.box.replicas.table.update(replica["id"], due=due, next_job=now + int(delay * 1000))

    def _due(self, replica_id: str) -> None:
        replica = self.box.replicas.table.get(replica_id)
        if replica is not None and replica["state"] == "ACTIVE" and not replica["job"]:
            self.begin(replica)

    def abort(self, replica: Row) -> None:
        """Ends the running job without its effect and cancels what was scheduled; the changed bytes stay to be sent."""
        self._cancel(replica["due"])
        job = replica["job"]
        if job and job.get("event"):
            self._cancel(job["event"])
            for id, claimed in job["claimed"].items():
                volume = self.box.volumes.get(id)
                self.box.volumes.change(id, unsynced=min(volume["size"], volume["unsynced"] + claimed))
        self.box.replicas.table.update(replica["id"], job=None, due="", pending=False)

    def next_pending(self) -> None:
        """Starts queued initial jobs, oldest replica first, while there is room."""
        room = int(self.box.world.settings.limits.initialisations) - self._initialising()
        waiting = [one for one in self.box.replicas.table if one["job"] and one["job"]["state"] == "PENDING"]
        for replica in waiting[: max(room, 0)]:
            self.begin(replica)

    def auto_suspend(self, replica: Row, reason: str) -> None:
        self.abort(replica)
        self.box.replicas.table.update(
            replica["id"], state="AUTO_SUSPENDED", state_reason=reason, state_description=reason.replace("_", " ").capitalize()
        )
        self.box.log.add_event("REPLICA_AUTO_SUSPENDED", "ERROR", f"Replica {replica['id']} was suspended by the system: {reason}")

    # The link.

    def observe_link(self) -> None:
        """Stalls running jobs when the link is down and lets stalled ones go on when it is back; called whenever something looks."""
        up = self.box.links.is_up()
        for replica in self.box.replicas.table:
            job = replica["job"]
            if job and not up and job["since"] is not None:
                self._stall(replica)
            elif job and up and job["state"] == "STALLED":
                self._cancel(job["event"])
                state = "INITIALIZING" if job["is_initial"] else "REPLICATING"
                self._change(replica, state=state, since=self.box.world.clock.now())
                self._flow(replica)

    def _stall(self, replica: Row) -> None:
        job, at = replica["job"], self.box.world.events.at
        self._cancel(job["event"])
        timeout = at(STALL_LIMIT, f"{self.box.name}/stalled_out", replica_id=replica["id"], job_id=job["id"])
        self._change(replica, state="STALLED", done=self.done(job), since=None, event=timeout)
        at(LINK_POLL, f"{self.box.name}/link_poll", replica_id=replica["id"], job_id=job["id"])

    def _stalled_out(self, replica_id: str, job_id: int) -> None:
        if replica := self._stalled(replica_id, job_id):
            self.auto_suspend(replica, "REMOTE_SYSTEM_UNREACHABLE")

    def _poll_link(self, replica_id: str, job_id: int) -> None:
        self.observe_link()
        if self._stalled(replica_id, job_id):
            self.box.world.events.at(LINK_POLL, f"{self.box.name}/link_poll", replica_id=replica_id, job_id=job_id)

    def _stalled(self, replica_id: str, job_id: int) -> Row | None:
        replica = self.box.replicas.table.get(replica_id)
        job = replica["job"] if replica else None
        return replica if job and job["id"] == job_id and job["state"] == "STALLED" else None

    # What can be read of a job.

    def done(self, job: Row) -> float:
        """Bytes sent so far."""
        done: float = job["done"]
        if job["since"] is not None:
            done += (self.box.world.clock.now() - job["since"]) * job["rate"]
        return min(float(job["bytes"]), done)

    def progress(self, job: Row) -> int:
        """Percent; a job is never at 100 before it has ended."""
        return min(99, int(100 * self.done(job) / job["bytes"])) if job["bytes"] else 0

    def wire(self, job: Row) -> Row:
        return {
            "id": job["id"],
            "state": job["state"],
            "is_initial": job["is_initial"],
            "type": "INITIAL" if job["is_initial"] else "INCREMENTAL",
            "start_time": job["start_time"],
            "end_time": None,
            "progress": self.progress(job),
        }

    def _change(self, replica: Row, **changes: Any) -> None:
        self.box.replicas.table.update(replica["id"], job={**replica["job"], **changes})

    def _cancel(self, event: str) -> None:
        if event:
            self.box.world.events.cancel(event)
