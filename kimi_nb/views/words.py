"""How numbers and states are put into words: with units, and never by colour alone."""

from __future__ import annotations

import json
import re
from pathlib import Path, PureWindowsPath

from kimi_nb.events import Judged
from kimi_nb.views.critical import Metrics
from kimi_nb.views.state import Agent, Run
from kimi_nb.views.text import fit, one_line

__all__ = [
    "SIMULATOR",
    "count",
    "dollars",
    "figures",
    "label",
    "left_by_stop",
    "metric_rows",
    "model_name",
    "needed_model",
    "next_step",
    "origin",
    "percent",
    "places",
    "seconds",
    "shape",
    "short",
    "simulated_by",
    "state_word",
    "status_line",
    "verdicts",
]

_JUDGE = re.compile(r'"judge":\s*"([^"\\]+)"')
_ROLLOUT = re.compile(r'"rollout":')
"""Of PARL's world: over is over."""
_OF_A_WORLD = re.compile(r'"judge":\s*"[a-z]+\(items=\d+, seed=-?\d+\)"')

SHAPES = {
    "waiting": "·",
    "queued": "◌",
    "thinking": "●",
    "retrying": "↻",
    "tool": "◆",
    "running": "●",
    "finished": "✓",
    "partial": "◐",
    "failed": "✗",
    "cancelled": "⊘",
    "over_budget": "▲",
}
SIMULATOR = "SIMULATOR: no language model took part"
RULES = "simulator"
"""The model of a run that rules alone have made."""
NAME = 48
"""Columns of a model's name."""
MINUTES = 600.0
CENT = 0.01
HUNDRED = 99.95
LEAST = 0.005


def shape(state: str) -> str:
    """One narrow character for a state of an agent or of a run."""
    return SHAPES.get(state, "?")


def state_word(state: str) -> str:
    """Shape and word, as "✓ finished"."""
    return f"{shape(state)} {one_line(state).replace('_', ' ')}"


def label(agent: Agent) -> str:
    """Its id and name, as "a07 package-reader"."""
    name = one_line(agent.name)
    return agent.id if name in {"", agent.id} else f"{agent.id} {name}"


def seconds(value: float) -> str:
    """A duration, as "4.2 s" or "12 min 05 s"."""
    if value < MINUTES:
        return f"{value:.1f} s"

    minutes, rest = divmod(round(value), 60)
    return f"{minutes} min {rest:02d} s"


def count(number: int, noun: str) -> str:
    """A number with its noun, as "1 step" or "1,200 steps"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def short(number: int) -> str:
    """A number in at most five characters, as "13.9k"."""
    for size, letter in ((1_000_000, "M"), (1_000, "k")):
        if number >= size:
            scaled = number / size
            return f"{scaled:.0f}{letter}" if scaled >= HUNDRED else f"{scaled:.1f}{letter}"

    return str(number)


def percent(share: float) -> str:
    """A share from 0 to 1, as "42%"; what is more than nothing is never shown as none."""
    return "under 1%" if 0 < share < LEAST else f"{share:.0%}"


def dollars(value: float | None, *, simulated: bool) -> str:
    """A cost, as "$0.31"; a fraction of a cent keeps four digits."""
    if simulated:
        return "$0 (simulator)"

    if value is None:
        return "unknown cost"

    return f"${value:.4f}" if 0 < value < CENT else f"${value:,.2f}"


def model_name(run: Run) -> str:
    """Who answers, in one line: of a name that holds a path, as "parl:FILE", the file's name."""
    name = one_line(run.model)
    scheme, _, rest = name.partition(":")
    file = PureWindowsPath(rest).name  # knows both separators
    return fit(f"{scheme}:{file}", NAME).rstrip() if run.simulated and file else name


def simulated_by(run: Run, mark: str = SIMULATOR) -> str:
    """The mark of a run without a language model, after what decided there beside the rules.

    As "parl:FILE · SIMULATOR: …"; "" for a run with a language model.
    """
    by_rules = run.model in {"", RULES}
    return "" if not run.simulated else mark if by_rules else f"{model_name(run)} · {mark}"


def needed_model(run: Run) -> str:
    """The model that has to go on, as what decides beside the rules cannot; "" if none has to."""
    beyond = run.status == "failed" and not run.steps
    return RULES if beyond and run.simulated and run.model not in {"", RULES} else ""


def status_line(run: Run) -> str:
    """How the run ended and why, in one line."""
    if run.status == "running":
        return "● unfinished: the log ends before the run does"

    why = one_line(run.why)
    return state_word(run.status) + (f": {why}" if why else "")


def origin(run: Run) -> str:
    """Which run this one forks from, in one line; "" for one that does not."""
    if not run.forked_from:
        return ""

    source = one_line(run.forked_from)
    what = "" if run.copied else ", with another goal or plan: nothing of it could be taken over"
    return f"forked from {source}{what}"


def places(run: Run) -> str:
    """On how many workers of a cluster its sub-agents lived; "" for one that had no cluster."""
    on = [agent for agent in run.agents.values() if agent.where or agent.moves]

    if not on:
        return ""

    workers = len(run.workers)
    lost = sum(agent.moves > 0 for agent in on)
    moved = f"; {lost} of them taken up again where a worker was lost" if lost else ""
    return f"{count(len(on), 'sub-agent')} on {count(workers, 'worker')} of a cluster{moved}"


def verdicts(run: Run) -> list[str]:
    """What each judge says of the answer, a line for each; [] while there is none to judge."""
    if judge := _at_work(run):
        return [f"judged by {one_line(judge)}: not yet"]

    latest = {judged.by: judged for judged in run.judgements}
    return [_verdict(judged) for judged in latest.values()]


def _at_work(run: Run) -> str:
    """The judge whom a run with its answer still waits for, or in whose work it was cut off."""
    main = run.main()
    named = _JUDGE.search(run.options)
    waits = run.status == "running" and main is not None and main.ended is not None
    return named[1] if waits and named and not run.judgements else ""


def _verdict(judged: Judged) -> str:
    success = "success" if judged.success else "no success"
    why = one_line(judged.why)
    line = f"judged by {one_line(judged.by)}: {success}, quality {judged.quality:.2f}"
    return f"{line} – {why}" if why else line


def next_step(run: Run, path: Path | None) -> str:
    """What to type to go on with a run that is not finished; "" for one that is."""
    if run.status == "finished" or _ROLLOUT.search(run.options):
        return ""

    if path is None:
        return f'To go on: save it with .save("run.jsonl"), then {resume_call(run)}("run.jsonl")'

    bare = one_line(str(path))
    quoted = json.dumps(bare, ensure_ascii=False)

    if model := needed_model(run):
        typed = f'kn.resume({quoted}, model="{model}") or %swarm resume {bare} --model {model}'
        return f"To go on by the simulator's rules alone: {typed}"

    typed = f"{resume_call(run)}({quoted}) or %swarm resume {bare}"
    return f"To go on, without paying again for what is done: {typed}"


def left_by_stop(run: Run, path: Path | None) -> str:
    """What the one who stopped a run is left with; the stop may have come too late."""
    if run.status == "finished" and not run.why:
        return "the swarm had finished before it could be stopped, and keeps its answer"

    again = f"; go on with {resume_call(run)}({str(path)!r})" if path else ""
    return f"the swarm was stopped, what it did is kept{again}"


def resume_call(run: Run) -> str:
    """The function that goes on with it: a world brings its own tools and its judge."""
    return "kn.worlds.resume" if _OF_A_WORLD.search(run.options) else "kn.resume"


def metric_rows(found: Metrics, run: Run) -> list[tuple[str, str, str]]:
    """The metrics as (name, value with unit, what it means)."""
    about = "about " if run.estimated else ""
    ratio = "unknown" if found.parallelism is None else f"{found.parallelism:.2f}×"
    busy = found.average_concurrency
    return [
        ("agents", f"{found.agents:,}", "the main agent and its sub-agents"),
        ("stages", f"{found.stages:,}", "rounds of the main agent"),
        ("total steps", f"{found.total_steps:,}", "model turns, all agents"),
        ("critical steps", f"{found.critical_steps:,}", "turns, slowest sub-agent of each stage"),
        ("tool calls", f"{found.tool_calls:,}", f"{run.failed_tool_calls:,} of them failed"),
        ("wall", seconds(found.wall_s), "from begin to end"),
        ("work", seconds(found.work_s), "time that agents were busy, summed"),
        ("span", seconds(found.span_s), "longest chain of work"),
        ("average concurrency", "unknown" if busy is None else f"{busy:.2f}", "work / wall"),
        ("parallelism", ratio, "work / span"),
        ("tokens in", f"{about}{found.tokens_in:,}", f"{found.tokens_cached:,} of them cached"),
        ("tokens out", f"{about}{found.tokens_out:,}", ""),
        ("cost", dollars(found.cost_usd, simulated=run.simulated), "at list prices"),
        ("failed agents", f"{found.failed_agents:,}", ""),
        ("retries", f"{found.retries:,}", "attempts that failed and were repeated"),
    ]


def figures(found: Metrics, run: Run) -> str:
    """The metrics in three lines of words."""
    about = "about " if run.estimated else ""
    busy = found.average_concurrency
    ratio = found.parallelism
    agents, stages = count(found.agents, "agent"), count(found.stages, "stage")
    steps, calls = count(found.total_steps, "step"), count(found.tool_calls, "tool call")
    times = (("wall", found.wall_s), ("work", found.work_s), ("span", found.span_s))
    took = ", ".join(f"{name} {seconds(value)}" for name, value in times)
    ratios = (("average concurrency", busy), ("parallelism", ratio))
    rates = ", ".join(f"{name} {_known(value)}" for name, value in ratios)
    tokens = f"{short(found.tokens_in)} tokens in ({short(found.tokens_cached)} cached)"
    cost = dollars(found.cost_usd, simulated=run.simulated)
    retries = f"{found.retries:,} retr{'y' if found.retries == 1 else 'ies'}"
    first = f"{agents}, {stages}; {steps}, {found.critical_steps:,} of them critical; {calls}"
    last = f"{about}{tokens}, {short(found.tokens_out)} out; {cost}; {retries}"
    return f"{first}\n{took}; {rates}\n{last}"


def _known(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.2f}"
