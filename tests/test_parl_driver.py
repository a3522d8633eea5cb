"""A trained policy as the orchestrator of real swarms: its weights decide, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kimi_nb as kn
from kimi_nb.cli import main
from kimi_nb.cli.bench import Bench
from kimi_nb.cli.progress import progress_line
from kimi_nb.errors import BadRequest, UsageFault
from kimi_nb.events import RunBegan, Said, ToolCalled
from kimi_nb.models.named import is_named
from kimi_nb.models.simulator import Options
from kimi_nb.models.simulator.division import Part
from kimi_nb.models.simulator.memory import Done
from kimi_nb.parl.checkpoint import LARGEST, save
from kimi_nb.parl.driver import driver
from kimi_nb.parl.driver.conduct import Conductor
from kimi_nb.parl.driver.decide import Decision, decided, kept, written
from kimi_nb.parl.driver.mirror import Situation, mirrored
from kimi_nb.parl.driver.steps import Steps
from kimi_nb.parl.features import OF_STATE, Sight
from kimi_nb.parl.learner import Learner, begin, learn
from kimi_nb.parl.plan import Plan
from kimi_nb.parl.policy import KINDS, NUMBER, POLICIES, table
from kimi_nb.parl.reward import Reward
from kimi_nb.swarm.doctor import examine
from kimi_nb.swarm.prompts import ORCHESTRATOR_TOOLS, orchestrator_prompt
from kimi_nb.trace import Trace, read
from kimi_nb.views.anneal import Schedule
from kimi_nb.views.header import header
from kimi_nb.worlds.learned import WAYS, learned
from kimi_nb.worlds.trials import row, trials

FAST = Options(latency=0)
LINEAR = POLICIES["linear"]
NOW = Situation(critical_steps=3, budget=None, context=0.1, left=20)
GOAL = "Give the ticket price of each of these: Prado, Louvre, Uffizi, Albertina, Hermitage, Orsay"
PRICE = {
    "type": "function",
    "function": {
        "name": "ticket_price",
        "description": "The ticket price of a museum.",
        "parameters": {
            "type": "object",
            "required": ["museum"],
            "properties": {"museum": {"type": "string"}},
        },
    },
}
Checkpoints = dict[str, Path]


def taught() -> Learner:
    """After a second or two: it gives parts away that are independent, and keeps what is not."""
    plan = Plan(iterations=60, tasks=16, rollouts=16, rate=0.08, seed=1)
    learner = begin(plan)
    reward = Reward(parallel=Schedule(0.3, 0.0, "linear", 0.7))

    for _ in range(plan.iterations):
        learn(learner, plan, reward)

    return learner


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Checkpoints:
    """The pretrained single agent, and what a training has made of it."""
    folder = tmp_path_factory.mktemp("checkpoints")
    made = {"prior": begin(Plan()), "taught": taught()}

    for name, learner in made.items():
        save(learner, folder / f"{name}.npz")

    return {name: folder / f"{name}.npz" for name in made}


@pytest.fixture(scope="module")
def weights(checkpoints: Checkpoints) -> np.ndarray:
    return np.load(checkpoints["taught"])["weights"]


def a_run(world: kn.worlds.World, checkpoint: Path, path: Path, **options: Any) -> kn.Run:
    run = world.run(model=f"parl:{checkpoint}", simulator=FAST, trace=path, **options)
    run.result()
    return run


def said(trace: Sequence[kn.Record]) -> list[str]:
    """The orchestrator's decisions, in its own words."""
    texts = [f"{r.fact.text}\n{r.fact.thinking}" for r in trace if isinstance(r.fact, Said)]
    return [line for text in texts for line in text.splitlines() if line.startswith("Policy: ")]


def quality(run: kn.Run) -> float:
    return run.fold.judgements[-1].quality


def called(trace: Sequence[kn.Record], tool: str) -> int:
    return sum(isinstance(r.fact, ToolCalled) and r.fact.tool == tool for r in trace)


def parts(number: int, **more: Any) -> list[Part]:
    return [
        replace(Part(name=f"part {n}", task=f"do {n}", work=4.0), **more) for n in range(number)
    ]


def kinds(found: Sequence[Decision]) -> str:
    return " ".join(decision.kind for decision in found)


# The checkpoint decides.


def test_the_collapsed_one_works_alone_and_the_taught_one_spawns_on_the_same_world(
    checkpoints: Checkpoints, tmp_path: Path
) -> None:
    world = kn.worlds.wide(items=6, seed=0)
    alone = a_run(world, checkpoints["prior"], tmp_path / "prior.jsonl")
    many = a_run(world, checkpoints["taught"], tmp_path / "taught.jsonl")

    for run, checkpoint in zip((alone, many), checkpoints.values(), strict=True):
        assert run.status == "finished"
        assert quality(run) > 0.8
        began = run.trace[0].fact
        assert isinstance(began, RunBegan)
        assert began.simulated
        assert began.model.startswith("parl:")
        assert "no language model took part" in run.progress() + str(run)
        name = f"parl:{checkpoint.name}"
        assert f"{name} · simulator · finished" in progress_line(run)
        assert f"{name} · SIMULATOR: " in str(run)
        assert f"{name} · SIMULATOR: " in run._repr_html_()  # pyright: ignore[reportPrivateUsage]
        assert header(run.fold, 0.0, "", {})["model"] == name
        last = run.answer.splitlines()[-1]
        assert last.startswith("_A trained policy decided who did what, and the simulator's rules")
        assert "Made by the simulator" not in run.answer

    assert alone.metrics.agents == 1
    assert all(line.startswith(("Policy: SELF", "Policy: FINISH")) for line in said(alone.trace))
    assert called(alone.trace, "assign_task") == 0
    assert many.metrics.agents == 1 + called(many.trace, "assign_task") == 7
    assert many.metrics.critical_steps < alone.metrics.critical_steps / 2
    assert many.metrics.total_steps > alone.metrics.total_steps


def test_without_the_weights_that_spawn_the_taught_one_works_alone(
    tmp_path: Path, weights: np.ndarray
) -> None:
    other = weights.copy()
    of_parts, of_state = table(other)
    of_parts[KINDS.index("SPAWN")] = 0.0
    of_state[KINDS.index("SPAWN")] = 0.0
    assert kinds(decided(LINEAR, weights, parts(6), NOW)).startswith("SPAWN SPAWN")
    assert kinds(decided(LINEAR, other, parts(6), NOW)) == "SELF"
    state = begin(Plan())
    state.weights = other
    save(state, tmp_path / "other.npz")
    run = a_run(kn.worlds.wide(items=4, seed=0), tmp_path / "other.npz", tmp_path / "run.jsonl")
    assert run.metrics.agents == 1


def test_weights_of_zero_decide_as_a_policy_that_knows_nothing() -> None:
    zero = np.zeros(LINEAR.number)
    found = decided(LINEAR, zero, parts(6), NOW)
    assert kinds(found) == "SELF"  # all alike: the first
    assert found[0].percent == round(100 * 6 / 13)  # of 6 SELF, 6 SPAWN, FINISH
    done = decided(LINEAR, zero, parts(6, done=True), NOW)
    assert kinds(done).startswith("SPAWN")  # and spawns for what is done


def test_entangled_parts_are_kept_and_blocked_ones_wait(weights: np.ndarray) -> None:
    assert kinds(decided(LINEAR, weights, parts(6, coupling=1.0), NOW)) == "SELF"
    chain = [replace(p, needs=(n - 1,) if n else ()) for n, p in enumerate(parts(6))]
    found = decided(LINEAR, weights, chain, NOW)
    assert [(d.kind, d.part) for d in found] == [("SELF", "part 0")]
    merged = [*parts(6), Part(name="merge", task="merge", work=4.0, needs=tuple(range(6)))]
    found = decided(LINEAR, weights, merged, NOW)
    assert {d.part for d in found if d.kind == "SPAWN"} == {f"part {n}" for n in range(6)}
    assert kinds(decided(LINEAR, weights, parts(6, done=True), NOW)) == "FINISH"


def test_nobody_is_launched_when_no_sub_agents_are_left(weights: np.ndarray) -> None:
    assert kinds(decided(LINEAR, weights, parts(6), NOW._replace(left=0))) == "SELF"
    found = decided(LINEAR, weights, parts(6), NOW._replace(left=2))
    assert kinds(found) == "SPAWN SPAWN RUN"


# What the policy sees.


def test_what_is_seen_is_what_has_happened() -> None:
    work = [12.0, 12.0, 24.0]  # twice and four times the longest there is in training
    made = [
        Part(name="a", task="", work=work[0], done=True),
        Part(name="b", task="", work=work[1], coupling=0.5),
        Part(name="c", task="", work=work[2], needs=(0, 1)),
    ]
    now = Situation(critical_steps=16, budget=60, context=1.5, left=3)
    world = mirrored(made, now)
    seen = Sight(world).of(np.arange(1))
    assert world.tasks.work.tolist() == [[3, 3, 6]]  # a quarter of each
    state = dict(zip(OF_STATE, seen.state[0], strict=True))
    assert state["pressure"] == pytest.approx(0.5)
    assert state["slack"] == pytest.approx((60 / 4 - 16 / 4 - 9) / 12)
    assert state["width"] == 1 / 8
    assert state["finished"] == 0
    ready, done = seen.parts[0, :, 3], seen.parts[0, :, 4]
    assert ready.tolist() == [0, 1, 0]
    assert done.tolist() == [1, 0, 0]
    assert seen.parts[0, :, 1].tolist() == [0, 0.5, 0]


def test_without_a_budget_there_is_always_something_to_spare() -> None:
    late = NOW._replace(critical_steps=10_000)
    looks = [Sight(mirrored(parts(4), now)).of(np.arange(1)).state[0, 2] for now in (NOW, late)]
    assert looks == pytest.approx([0.3, 0.3])


@given(
    st.lists(st.text(min_size=1, max_size=12).filter(str.strip), min_size=1, max_size=5),
    st.sampled_from(KINDS),
)
def test_a_decision_is_known_again_by_what_was_said(names: list[str], kind: str) -> None:
    plain = [" ".join(name.replace(";", ",").split()) for name in names]
    named = [Part(name=name, task="", work=1) for name in names]

    if len(set(plain)) < len(plain) or not all(plain):
        return

    aimed = kind in {"SELF", "SPAWN"}
    made = [Decision(kind, name if aimed else "", 50) for name in names]
    text = f"a note\n{written(made)}\nmore"
    assert kept(["Policy: nonsense", text], named) == [made]


def test_the_budget_of_the_run_reaches_the_policy(
    checkpoints: Checkpoints, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen: list[Situation] = []

    def spied(*given: Any) -> list[Decision]:
        seen.append(given[-1])
        return decided(*given)

    monkeypatch.setattr("kimi_nb.parl.driver.conduct.decided", spied)
    budget = kn.Budget(critical_steps=90)
    run = a_run(kn.worlds.wide(items=6), checkpoints["taught"], tmp_path / "r.jsonl", budget=budget)
    first, last = seen[0], seen[-1]
    assert first.budget == last.budget == 90
    assert first.left == 20
    assert last.left == 20 - called(run.trace, "assign_task") < 20
    assert last.critical_steps == run.metrics.critical_steps - 1  # all but the answer
    assert 0 < first.context < last.context


# Real worlds.


@pytest.mark.parametrize(
    ("family", "items", "name"),
    [
        ("deep", 4, "prior"),
        ("deep", 4, "taught"),
        ("office", 6, "prior"),
        ("office", 6, "taught"),
        ("code", 3, "taught"),
    ],
)
def test_each_world_is_done_by_either(
    checkpoints: Checkpoints, tmp_path: Path, family: str, items: int, name: str
) -> None:
    try:
        world = getattr(kn.worlds, family)(items=items)
    except UsageFault as lacking:
        pytest.skip(str(lacking))

    run = a_run(world, checkpoints[name], tmp_path / "run.jsonl")
    assert run.status == "finished"
    assert run.fold.judgements[-1].success
    assert said(run.trace)[-1].startswith("Policy: FINISH")
    assert (run.metrics.agents == 1) == all("SPAWN" not in line for line in said(run.trace))
    assert name != "prior" or run.metrics.agents == 1


def test_it_keeps_to_the_sub_agents_that_there_are(
    checkpoints: Checkpoints, tmp_path: Path
) -> None:
    world = kn.worlds.wide(items=6)
    run = a_run(world, checkpoints["taught"], tmp_path / "run.jsonl", max_agents=2)
    assert run.metrics.agents <= 3
    assert quality(run) > 0.8


def test_a_network_drives_a_swarm_too(tmp_path: Path) -> None:
    save(begin(Plan(policy="network")), tmp_path / "network.npz")
    run = a_run(kn.worlds.deep(items=3), tmp_path / "network.npz", tmp_path / "run.jsonl")
    assert run.metrics.agents == 1  # not trained: its prior works alone
    assert run.fold.judgements[-1].success


def test_the_same_seed_gives_the_same_run(checkpoints: Checkpoints, tmp_path: Path) -> None:
    world = kn.worlds.deep(items=5)
    first, second = (
        a_run(world, checkpoints["taught"], tmp_path / f"{n}.jsonl", seed=3) for n in range(2)
    )
    assert said(first.trace) == said(second.trace) != []
    assert first.metrics.total_steps == second.metrics.total_steps


def test_a_run_that_was_cut_off_goes_on_by_the_same_policy(
    checkpoints: Checkpoints, tmp_path: Path
) -> None:
    path = tmp_path / "run.jsonl"
    whole = a_run(kn.worlds.deep(items=5), checkpoints["prior"], path)
    records = list(whole.trace)
    path.unlink()
    Trace(records[: len(records) // 2]).save(path)
    assert len(said(read(path))) < len(said(records))
    run = kn.worlds.resume(path)
    assert isinstance(run, kn.Run)
    run.result()
    assert run.status == "finished"
    assert run.answer == whole.answer
    assert said(run.trace) == said(records)
    assert run.metrics.total_steps == whole.metrics.total_steps


# One request at a time.


def request(*messages: dict[str, Any]) -> dict[str, Any]:
    system = {"role": "system", "content": orchestrator_prompt(Path(), 20)}
    tools = [*ORCHESTRATOR_TOOLS, PRICE]
    return {"messages": [system, {"role": "user", "content": GOAL}, *messages], "tools": tools}


def turn_of(conductor: Conductor, asked: dict[str, Any]) -> dict[str, Any]:
    """The assistant message that it answers with."""
    text, calls = "", dict[int, dict[str, Any]]()

    for event in conductor.answer(asked, FAST):
        for choice in event.what["choices"] if isinstance(event.what, dict) else ():
            delta = choice["delta"]
            text += delta.get("content") or ""

            for part in delta.get("tool_calls", ()):
                call = calls.setdefault(part["index"], {"id": "", "name": "", "arguments": ""})
                call["id"] += part.get("id", "")
                call["name"] += part["function"].get("name", "")
                call["arguments"] += part["function"]["arguments"]

    made = [
        {"id": c["id"], "type": "function", "function": {k: c[k] for k in ("name", "arguments")}}
        for c in calls.values()
    ]
    return {"role": "assistant", "content": text, "tool_calls": made}


def answered(turn: dict[str, Any], text: Callable[[str], str]) -> list[dict[str, Any]]:
    return [
        {
            "role": "tool",
            "tool_call_id": call["id"],
            "content": text(json.loads(call["function"]["arguments"]).get("prompt", "")),
        }
        for call in turn["tool_calls"]
    ]


def test_what_a_sub_agent_did_not_bring_is_still_to_be_done(weights: np.ndarray) -> None:
    conductor = Conductor(LINEAR, weights, None)
    create = turn_of(conductor, request())
    assert [c["function"]["name"] for c in create["tool_calls"]] == ["create_subagent"]
    done = [create, *answered(create, lambda _: "Created.")]
    assign = turn_of(conductor, request(*done))
    assert len(assign["tool_calls"]) == 6

    def report(task: str) -> str:
        if "\n- Louvre\n" in task or "\n- Orsay\n" in task:
            return "ERROR: the sub-agent failed"

        messages = [{"role": "system", "content": "Look it up."}, {"role": "user", "content": task}]
        first = turn_of(conductor, {"messages": messages, "tools": [PRICE]})
        assert [c["function"]["name"] for c in first["tool_calls"]] == ["ticket_price"]
        messages += [first, *answered(first, lambda _: "12 EUR")]
        return turn_of(conductor, {"messages": messages, "tools": [PRICE]})["content"]

    done += [assign, *answered(assign, report)]
    again = turn_of(conductor, request(*done))
    assert "Louvre" in again["content"]
    assert not any(name in again["content"] for name in ("Prado", "Uffizi", "Albertina"))


def test_a_goal_in_no_parts_is_refused_and_says_which_goals_are_not(weights: np.ndarray) -> None:
    asked = request()
    asked["messages"][1]["content"] = "Write a poem about the sea."

    with pytest.raises(BadRequest, match=r"no rule .* the goals of kn.worlds \(wide, deep"):
        Conductor(LINEAR, weights, None).answer(asked, FAST)


def test_who_has_the_same_part_later_takes_nothing_from_what_the_first_one_took() -> None:
    steps, task = Steps(), {"role": "user", "content": "do it"}
    said = {"role": "assistant", "content": ""}

    for number in (3, 3, 1):  # the last one was launched in another turn
        for before in range(number):
            for seed in (7, 8):  # the first attempt, and a retry
                asked = {"messages": [task, *[said] * before], "seed": seed}
                steps.see(asked, sub_agent=True)

    turns = [(1, "do it"), (1, "do it"), (2, "do it"), (3, "another")]
    done = [Done("assign_task", {"prompt": prompt}, "", turn=turn) for turn, prompt in turns]
    assert steps.longest(done, {"another": 5}) == 3 + 1 + 5
    assert Steps().longest(done, {"do it": 2}) == 2 + 2 + 1


def test_for_a_goal_in_no_parts_the_last_line_is_the_one_that_goes_on(
    checkpoints: Checkpoints, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(tmp_path / "poem.jsonl")
    poem = ["run", "Write a poem about the sea.", "--model", f"parl:{checkpoints['prior']}"]
    assert main([*poem, "--trace", path]) == 1
    out, err = capsys.readouterr()
    assert f'kn.resume("{path}", model="simulator")' in out
    assert err.splitlines()[-1].endswith(f"to go on: kimi-nb resume {path} --model simulator")
    assert main(["resume", path, "--model", "simulator"]) == 0


# By its name.


def test_only_what_is_registered_is_a_name() -> None:
    assert is_named("parl:x.npz")
    assert not any(map(is_named, ("parl", "simulator", "qwen:7b", "kimi-k3", None, object())))


@pytest.mark.parametrize("name", ["", "missing.npz", ".", "~nobody-of-that-name/x.npz", "x" * 300])
def test_a_checkpoint_that_is_not_there_is_said(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageFault, match=r"there is no checkpoint .* beside the log of a training"):
        kn.swarm(GOAL, model=f"parl:{name}", trace=tmp_path / "run.jsonl")

    assert not (tmp_path / "run.jsonl").exists()


def test_what_is_no_checkpoint_or_of_another_policy_is_said(tmp_path: Path) -> None:
    (tmp_path / "text.npz").write_text("no")

    with pytest.raises(UsageFault, match="no checkpoint of a training"):
        driver(str(tmp_path / "text.npz"), FAST)

    other = begin(Plan())
    other.weights = np.zeros(3)
    save(other, tmp_path / "other.npz")

    with pytest.raises(UsageFault, match="of another policy"):
        driver(str(tmp_path / "other.npz"), FAST)


@pytest.mark.parametrize(
    "bad",
    [
        {"weights": np.full(NUMBER, np.nan)},
        {"weights": np.full(NUMBER, "1")},
        {"weights": np.array([{}] * NUMBER, object)},
        {"adam_mean": np.zeros(NUMBER, complex)},
        {"adam_count": np.inf},
        {"dice": "[" * 100_000},
        {"more": np.zeros(LARGEST // 8 + 1)},
    ],
    ids=["nan", "text", "pickle", "complex", "endless", "nested", "large"],
)
def test_a_checkpoint_that_somebody_made_up_is_said(bad: dict[str, Any], tmp_path: Path) -> None:
    save(begin(Plan()), tmp_path / "good.npz")
    assert driver(str(tmp_path / "good.npz"), FAST)

    with np.load(tmp_path / "good.npz") as found:
        np.savez_compressed(tmp_path / "bad.npz", **{**found, **bad})

    with pytest.raises(UsageFault, match="no checkpoint of a training"):
        driver(str(tmp_path / "bad.npz"), FAST)


def test_a_checkpoint_that_is_empty_or_broken_is_said(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    save(begin(Plan()), path)
    whole = path.read_bytes()

    for part in (b"", whole[: len(whole) // 2]):
        path.write_bytes(part)

        with pytest.raises(UsageFault, match="no checkpoint of a training"):
            driver(str(path), FAST)


def test_an_endpoint_beside_it_is_refused(checkpoints: Checkpoints) -> None:
    with pytest.raises(UsageFault, match="leave the endpoint out"):
        kn.swarm(GOAL, model=f"parl:{checkpoints['prior']}", base_url="http://localhost:1/v1")


def test_the_doctor_knows_it(checkpoints: Checkpoints) -> None:
    report = examine(f"parl:{checkpoints['prior']}")
    assert report.ok
    found = {check.name: check for check in report}
    assert found["model"].ok
    assert "sub-agents of the simulator: rules, no language model" in found["model"].detail
    assert found["tools"].ok is None


def test_the_command_line_runs_it(
    checkpoints: Checkpoints, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "files").mkdir()

    for name in "abcdef":
        (tmp_path / "files" / f"{name}.md").write_text(f"Opening hours: {name}\n")

    model = f"parl:{checkpoints['taught']}"
    goal = "Compare the opening hours of the files in this folder."
    words = ["run", goal, "--model", model, "--folder", str(tmp_path / "files"), "--json"]
    assert main([*words, "--trace", str(tmp_path / "run.jsonl")]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["simulated"] is True
    assert found["metrics"]["agents"] == 7


def test_a_benchmark_has_it_as_a_third_way(checkpoints: Checkpoints, tmp_path: Path) -> None:
    options = {"model": f"parl:{checkpoints['taught']}", "simulator": FAST, "max_agents": 6}
    running = Bench(folder=tmp_path, options=options, prices={})
    found = [row(each, running.trace(each)) for each in trials(["wide"], [6], learned=True)]
    assert [each.model for each in found] == ["simulator", "simulator", options["model"]]
    three = learned(found)
    assert [each.way for each in three] == list(WAYS)
    policy, rules, alone = three
    assert policy.sub_agents == rules.sub_agents == 6
    assert alone.sub_agents == 0
    assert policy.critical_steps < alone.critical_steps
    assert learned(found[:2]) == []
    assert running.trace(trials(["wide"], [6], learned=True)[2]) is not None  # read, not run anew


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["--model", "parl:missing.npz"], "there is no checkpoint"),
        (["--model", "parl:{there}", "--base-url", "http://localhost:1/v1"], "leave the endpoint"),
    ],
)
def test_a_benchmark_says_what_it_cannot_do_before_anything_runs(
    typed: list[str],
    said: str,
    checkpoints: Checkpoints,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = [each.format(there=checkpoints["prior"]) for each in typed]

    assert main(["bench", "swarm", *given, "-o", str(tmp_path / "out")]) != 0
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
