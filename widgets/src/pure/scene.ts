// What the page knows of a run: rows that the kernel has sent, merged. Nothing is counted here.

/** A stretch of one agent's time: [agent, began, ended, kind, step]; seconds since the run began. */
export type Span = [agent: number, began: number, ended: number, kind: Kind, step: number];
export type Kind = "call" | "failed" | "tool" | "queued" | "retry" | "other";
/** A tool call that has returned: [agent, began, ended, tool, 1 if it went well]. */
export type Tick = [agent: number, began: number, ended: number, tool: string, ok: 0 | 1];
/** The stretch that an agent is in: [since, kind, step, until which a retry waits]. */
export type Open = [since: number, kind: Kind, step: number, until: number];
/** [what, its limit, what is spent of it]. */
export type BudgetRow = [what: string, limit: number, spent: number];

export interface Agent {
  number: number;
  id: string;
  label: string;
  role: "orchestrator" | "sub-agent" | "single";
  task: string;
  parent: string;
  /** Step of the main agent that launched it; in a plan, its level. */
  stage: number;
  /** In a plan: ids of the agents that had to end first. */
  after: string[];
  state: string;
  doing: string;
  open: Open | null;
  began: number;
  ended: number | null;
  /** Earlier ends, where a resumed run has taken it up again: when, as what, until when. */
  ends: [ended: number, state: string, until: number][];
  steps: number;
  tool_calls: number;
  failed_tool_calls: number;
  retries: number;
  tokens_in: number;
  tokens_out: number;
  queued_s: number;
  /** The worker of a cluster that has it, and how often one was lost under it; else absent. */
  where?: string;
  moves?: number;
  busy_s: number;
}

export interface Stage {
  /** Id of the main agent; "" for the levels of a plan. */
  parent: string;
  number: number;
  began: number;
  ended: number | null;
  main_steps: number;
  max_sub_steps: number;
  sub_agents: number[];
}

/** Null is what is not known. */
export interface Run {
  name: string;
  goal: string;
  model: string;
  simulated: boolean;
  status: string;
  why: string;
  /** What a judge says of the answer; "" where there is none. */
  judged: string;
  resumed: number;
  sub_agents: number;
  ended: number;
  states: Record<string, number>;
  estimated: boolean;
  left_s: number | null;
  budget: BudgetRow[];
  agents: number;
  stages: number;
  total_steps: number;
  critical_steps: number;
  tool_calls: number;
  work_s: number;
  span_s: number;
  wall_s: number;
  average_concurrency: number | null;
  parallelism: number | null;
  tokens_in: number;
  tokens_out: number;
  tokens_cached: number;
  cost_usd: number | null;
  failed_agents: number;
  retries: number;
}

export interface Profile {
  /** Seconds at which the number of agents at work changes. */
  times: number[];
  counts: number[];
}

/** [reward, start, end, shape, until, first iteration that it holds for] */
export type Schedule = [string, number, number, string, number, number];

export interface Training {
  what: string;
  seed: number;
  iterations: number;
  status: string;
  why: string;
  schedules: Schedule[];
  columns: string[];
  rows: number[][];
}

/** A message of the kernel: the rows that changed with the records `from` to `to`. */
export interface Changes {
  from: number;
  to: number;
  now: number;
  /** What the main agent is saying at the moment. */
  draft?: string;
  /** One line about the calls that are out and that wait. */
  pace?: string;
  /** More is going to happen. */
  live?: boolean;
  /** A cell waits for the run, and can be told not to. */
  can_background?: boolean;
  run?: Run;
  /** The answer, or what the orchestrator said last: harmless HTML, sanitised again when shown. */
  answer?: string;
  agents?: Agent[];
  stages?: Stage[];
  spans?: Span[];
  ticks?: Tick[];
  path?: Span[];
  profile?: Profile;
  rewards?: Training | null;
}

export interface Scene {
  /** How many records are in it. */
  count: number;
  /** Seconds since the run began, when the latest message was made. */
  now: number;
  run: Run | null;
  answer: string;
  draft: string;
  pace: string;
  /** More is going to happen; not so in the log of a process that was killed. */
  live: boolean;
  /** A cell waits for the run, and can be told not to. */
  can_background: boolean;
  /** By number. */
  agents: Agent[];
  /** Closed stretches by agent number, in their order. */
  spans: Span[][];
  ticks: Tick[][];
  /** In the order in which they began. */
  stages: Stage[];
  path: Span[];
  profile: Profile;
  training: Training | null;
}

export function empty(): Scene {
  return {
    count: 0,
    now: 0,
    run: null,
    answer: "",
    draft: "",
    pace: "",
    live: false,
    can_background: false,
    agents: [],
    spans: [],
    ticks: [],
    stages: [],
    path: [],
    profile: { times: [], counts: [] },
    training: null,
  };
}

export type Outcome = "taken" | "known" | "gap";

/** Merge a message into the scene. "known": nothing new in it. "gap": one before it is missing. */
export function apply(scene: Scene, changes: Changes): Outcome {
  if (changes.from > 0 && changes.from !== scene.count) {
    return changes.to <= scene.count ? "known" : "gap";
  }
  if (changes.from === 0) {
    if (changes.to < scene.count || (changes.to === scene.count && changes.now < scene.now)) {
      return "known";
    }
    Object.assign(scene, empty());
  }
  scene.count = changes.to;
  scene.now = changes.now;
  scene.run = changes.run ?? scene.run;
  scene.answer = changes.answer ?? scene.answer;
  scene.draft = changes.draft ?? "";
  scene.pace = changes.pace ?? "";
  scene.live = changes.live ?? false;
  scene.can_background = changes.can_background ?? false;
  scene.path = changes.path ?? scene.path;
  scene.profile = changes.profile ?? scene.profile;
  for (const agent of changes.agents ?? []) {
    scene.agents[agent.number] = agent;
  }
  for (const span of changes.spans ?? []) {
    (scene.spans[span[0]] ??= []).push(span);
  }
  for (const tick of changes.ticks ?? []) {
    (scene.ticks[tick[0]] ??= []).push(tick);
  }
  for (const stage of changes.stages ?? []) {
    mergeStage(scene.stages, stage);
  }
  mergeTraining(scene, changes.rewards);
  return "taken";
}

function mergeStage(stages: Stage[], stage: Stage): void {
  const place = stages.findLastIndex(
    (other) => other.parent === stage.parent && other.number === stage.number,
  );
  if (place < 0) {
    stages.push(stage);
  } else {
    stages[place] = stage;
  }
}

function mergeTraining(scene: Scene, rewards: Training | null | undefined): void {
  if (rewards) {
    const rows = scene.training?.rows ?? [];
    for (const row of rewards.rows) {
      rows.push(row); // more of them than a call can have arguments
    }
    scene.training = { ...rewards, rows };
  }
}
