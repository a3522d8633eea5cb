"""A run's tasks with something changed: the values that `what_if` schedules.

Each function takes a list of tasks, each behind those that it came after, and returns another.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from kimi_nb.views.tasks import After, Task

__all__ = ["by_level", "in_parts", "rescaled", "unbarred", "without_after"]


def rescaled(
    listed: Iterable[Task], sizes: Mapping[str, float], faster: Mapping[str, float]
) -> list[Task]:
    """The tasks of `sizes` with so many steps, those of `faster` with their seconds divided.

    Seconds and tokens go with the steps in proportion. What began some time before the end of
    such a task still begins at the same part of its work.
    """
    pace: dict[str, float] = {}
    found: list[Task] = []

    for task in listed:
        grown = sizes[task.id] / task.steps if task.id in sizes else 1.0
        pace[task.id] = grown / faster.get(task.id, 1.0)
        changed = task._replace(
            steps=sizes.get(task.id, task.steps),
            seconds=task.seconds * pace[task.id],
            tokens=task.tokens * grown,
            after=tuple(After(before.id, before.lead * pace[before.id]) for before in task.after),
        )
        found.append(changed)

    return found


def without_after(listed: Iterable[Task], pairs: Collection[tuple[str, str]]) -> list[Task]:
    """The tasks, the second of each pair no longer waiting for the first."""
    return [
        task._replace(after=tuple(b for b in task.after if (b.id, task.id) not in pairs))
        for task in listed
    ]


def by_level(listed: Sequence[Task]) -> list[Task]:
    """The tasks of an explicit plan, each waiting for all of the level before its own.

    A task that takes nothing stands between two levels: edges from each to each would be too
    many. Its agent and its role are empty.
    """
    level: dict[str, int] = {}

    for task in listed:
        level[task.id] = 1 + max((level[before.id] for before in task.after), default=0)

    found = [
        task._replace(after=(After(_gate(level[task.id] - 1)),) if level[task.id] > 1 else ())
        for task in listed
    ]
    members: dict[int, list[After]] = {}

    for name, number in level.items():
        members.setdefault(number, []).append(After(name))

    gates = [Task(_gate(n), "", "", n, after=tuple(names)) for n, names in members.items()]
    return found + gates


def _gate(level: int) -> str:
    return f"end of level {level}"


def unbarred(
    listed: Sequence[Task], needs: Mapping[str, Collection[str]]
) -> tuple[list[Task], dict[str, list[str]]]:
    """The tasks without barriers between stages, and the names of the turns by their old ones.

    A main agent's turn is made as soon as those have ended that its sub-agents need. Where they
    need different ones it is made once for each such set, as "a0/2.1", "a0/2.2" …; whoever
    needs nobody is launched as early as the first of all. A turn that launches nobody waits, as
    it did, for all before it. An explicit plan has no such barriers and stays as it is.
    """
    mains = {task.id for task in listed if task.role != "sub-agent"}
    launched: dict[str, list[Task]] = {}
    stage = {task.id: task.stage for task in listed}

    for task in listed:
        for before in task.after:
            if task.role == "sub-agent" and before.id in mains:
                launched.setdefault(before.id, []).append(task)

    found: list[Task] = []
    names: dict[str, list[str]] = {}
    launcher: dict[str, str] = {}
    """By sub-agent, the turn that now launches it."""
    first: dict[str, tuple[After, ...]] = {}
    """By main agent, what its first launching turn waited for."""
    since: dict[str, list[After]] = {}
    """By main agent, what ends no earlier than its latest turn that launched nobody."""

    for task in listed:
        if task.id in launched:
            start = first.setdefault(task.agent, task.after)
            turns = _turns(task, launched[task.id], needs, stage, start)
            names[task.id] = [turn.id for turn, _ in turns]
            launcher |= {sub: turn.id for turn, subs in turns for sub in subs}
            behind = since.setdefault(task.agent, [])
            behind += [After(turn.id) for turn, _ in turns]
            behind += [After(sub.id) for sub in launched[task.id]]
            found += [turn for turn, _ in turns]
        elif task.id in mains and task.agent in first:
            found.append(task._replace(after=tuple(since[task.agent])))
            since[task.agent] = [After(task.id)]
        elif task.id in launcher:
            after = (b._replace(id=launcher[task.id]) if b.id in mains else b for b in task.after)
            found.append(task._replace(after=tuple(after)))
        else:
            found.append(task)

    return found, names


def _turns(
    turn: Task,
    subs: list[Task],
    needs: Mapping[str, Collection[str]],
    stage: Mapping[str, int],
    start: tuple[After, ...],
) -> list[tuple[Task, list[str]]]:
    """The turn once for each set of sub-agents that some of `subs` need, with those subs."""
    groups: dict[tuple[str, ...], list[str]] = {}

    for sub in subs:
        earlier = (name for name in needs.get(sub.id, ()) if stage.get(name, sub.stage) < sub.stage)
        groups.setdefault(tuple(sorted(earlier)), []).append(sub.id)

    ids = [turn.id] if len(groups) == 1 else [f"{turn.id}.{n + 1}" for n in range(len(groups))]
    return [
        (turn._replace(id=name, after=tuple(map(After, needed)) or start), members)
        for name, (needed, members) in zip(ids, groups.items(), strict=True)
    ]


def in_parts(
    listed: Sequence[Task], split: Mapping[str, int]
) -> tuple[list[Task], dict[str, list[str]]]:
    """The tasks, those of `split` in so many, and the names of the parts by the old ones.

    The parts share seconds and tokens equally, steps in whole numbers. Whoever waited for the
    task waits for all of its parts.
    """
    names = {name: [f"{name}.{n + 1}" for n in range(count)] for name, count in split.items()}
    found: list[Task] = []

    for task in listed:
        parts = names.get(task.id, [task.id])
        share, extra = divmod(task.steps, len(parts))
        after = tuple(
            before._replace(id=name)
            for before in task.after
            for name in names.get(before.id, [before.id])
        )
        found += [
            task._replace(
                id=name,
                steps=share + max(0, min(1, extra - index)),
                seconds=task.seconds / len(parts),
                tokens=task.tokens / len(parts),
                after=after,
            )
            for index, name in enumerate(parts)
        ]

    return found, names
