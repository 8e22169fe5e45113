"""How long a run that asks a model will probably still take.  Pure."""

from collections.abc import Mapping

from bot.engine.snapshot import Snapshot
from bot.planning.phases import PLAN_PHASE


def likely_end(snapshot: Snapshot, now: float) -> float | None:
    """Return when the run will probably have ended, by the run's timer, if it is *now*.

    Each phase takes as long as those of this process took on average, and starts as soon as its needs are met and one
    of the jobs is free.  None as long as no phase was made by the model, and once nothing is left to be made.
    """
    took = [ended - started for key, started, ended in snapshot.timings if key != PLAN_PHASE]
    if snapshot.by_templates or not took:
        return None
    average = sum(took) / len(took)
    running = {key: max(now, started + average) for key, started in snapshot.active.items()}
    failed = snapshot.failures.keys() - snapshot.active.keys()
    phases = [each.phase for each in snapshot.state.phases]
    needs = {each.phase.key: each.wanted for each in snapshot.state.phases}
    waiting = {
        phase.key: frozenset(key for key in phase.needs if key != PLAN_PHASE)
        for phase in phases
        if needs[phase.key] and phase.key not in running and phase.key not in failed and phase.key != PLAN_PHASE
    }
    ends = _play(running, waiting, failed, average, snapshot.jobs, now)
    return ends if snapshot.active or ends > now else None


def _play(
    running: dict[str, float],
    waiting: Mapping[str, frozenset[str]],
    failed: frozenset[str] | set[str],
    average: float,
    jobs: int,
    now: float,
) -> float:
    """Return when the last phase ends that can be started; *running* has the end of each that is being made."""
    open_needs = {key: {need for need in needs if need in waiting or need in running} for key, needs in waiting.items()}
    blocked = {key for key, needs in waiting.items() if needs & failed}
    ready = [key for key, needs in open_needs.items() if not needs and key not in blocked]
    while running or ready:
        while ready and len(running) < jobs:
            running[ready.pop(0)] = now + average
        ended = min(running, key=lambda key: running[key])
        now = running.pop(ended)
        for key, needs in open_needs.items():
            if ended in needs:
                needs.remove(ended)
                if not needs and key not in blocked:
                    ready.append(key)
    return now
