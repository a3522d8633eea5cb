// The order of a run's graph: the main agent's steps, and after each the sub-agents it launched.

import type { Agent, Scene, Stage } from "./scene.ts";

export interface Block {
  /** "step" launched sub-agents or got them back, "bare" did not, "run" is several bare ones, "group" is sub-agents,
   * "join" is the step to come, for which sub-agents are waited for. */
  readonly kind: "step" | "bare" | "run" | "join" | "group";
  readonly id: string;
  /** Number of the main agent; -1 in a plan. */
  readonly agent: number;
  /** First and last of the main agent's steps that it stands for; in a plan, its level. */
  readonly from: number;
  readonly to: number;
  /** Numbers of the sub-agents of a group. */
  readonly members: readonly number[];
}

/** The blocks in their order. Of bare steps in a row the last `most` are told apart. */
export function flow(scene: Scene, most: number): Block[] {
  const known = scene.agents.filter((agent) => agent !== undefined);
  const mains = new Map(known.filter(isMain).map((agent) => [agent.id, agent]));
  if (mains.size === 0) {
    return scene.stages.map((stage) => level(stage, scene)).filter(({ members }) => members.length);
  }
  const alone = known.length === mains.size;
  const blocks = scene.stages.flatMap((stage, i) => {
    const back = (scene.stages[i - 1]?.sub_agents.length ?? 0) > 0;
    return staged(stage, mains.get(stage.parent), alone || back);
  });
  return shorten(awaited(blocks, scene), most, alone ? "step" : "bare");
}

export function isMain(agent: Agent): boolean {
  return agent.role !== "sub-agent";
}

function staged(stage: Stage, main: Agent | undefined, large: boolean): Block[] {
  const { parent, number, sub_agents: members } = stage;
  const about = { agent: main?.number ?? -1, from: number, to: number };
  const found: Block[] = [];
  if (main !== undefined) {
    const kind = large || members.length > 0 ? "step" : "bare";
    found.push({ kind, id: `${parent}/${number}`, ...about, members: [] });
  }
  if (members.length > 0) {
    found.push({ kind: "group", id: `${parent}/${number}/subs`, ...about, members });
  }
  return found;
}

/** A place for the step that comes once the last stage's sub-agents are back. */
function awaited(blocks: Block[], scene: Scene): Block[] {
  const last = blocks.at(-1);
  const main = last?.kind === "group" ? scene.agents[last.agent] : undefined;
  if (last === undefined || main === undefined || main.ended !== null) {
    return blocks;
  }
  const next = last.to + 1;
  const id = `${main.id}/${next}`;
  return [...blocks, { kind: "join", id, agent: main.number, from: next, to: next, members: [] }];
}

function shorten(blocks: Block[], most: number, kind: Block["kind"]): Block[] {
  const found: Block[] = [];
  for (let i = 0; i < blocks.length; ) {
    let end = i;
    while (blocks[end]?.kind === kind && blocks[end]?.agent === blocks[i]?.agent && follows(end)) {
      end++;
    }
    const cut = end - i > most + 1 ? end - most : i;
    if (cut > i) {
      const [first, last] = [blocks[i] as Block, blocks[cut - 1] as Block];
      found.push({ ...first, kind: "run", id: `${first.id}+`, to: last.to });
    }
    const rest = Math.max(end, i + 1);
    found.push(...blocks.slice(cut, rest));
    i = rest;
  }
  return found;

  // A step that launches must stand beside what it launched.
  function follows(at: number): boolean {
    return blocks[at + 1]?.kind !== "group";
  }
}

/** A level of a plan, its agents beside those that they come after: fewer edges cross. */
function level(stage: Stage, scene: Scene): Block {
  const places = new Map<string, number>();
  for (const other of scene.stages) {
    if (other.number < stage.number) {
      other.sub_agents.forEach((number, place) => {
        places.set(scene.agents[number]?.id ?? "", (place + 0.5) / other.sub_agents.length);
      });
    }
  }
  const middle = new Map(
    stage.sub_agents.map((number) => {
      const before = scene.agents[number]?.after ?? [];
      const sum = before.reduce((total, id) => total + (places.get(id) ?? 0.5), 0);
      return [number, before.length > 0 ? sum / before.length : 0.5];
    }),
  );
  const members = [...stage.sub_agents].sort(
    (a, b) => (middle.get(a) ?? 0) - (middle.get(b) ?? 0) || a - b,
  );
  const { number } = stage;
  return { kind: "group", id: `level/${number}`, agent: -1, from: number, to: number, members };
}
