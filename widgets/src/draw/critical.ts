// Critical steps stage by stage, how many agents were at work, and what is left of the budget.

import type { Host, Picture } from "../pure/host.ts";
import { headline } from "../pure/stages.ts";
import { concurrency } from "./concurrency.ts";
import { h, write } from "./dom.ts";
import { Limits } from "./limits.ts";
import { StageRows } from "./stagerows.ts";

const MEANING =
  "Of each stage count the steps of the main agent and those of its slowest sub-agent, for which the others wait. Steps, not seconds.";

export function critical(host: Host): Picture {
  const sum = h("p", { class: "kcs-sum" });
  const stages = new StageRows(host);
  const profile = concurrency(host);
  const limits = new Limits();
  const below = h("div", { class: "kcs-below" }, profile.element, limits.element);
  const element = h(
    "div",
    { class: "kcs-critical" },
    sum,
    h("p", { class: "kcs-quiet" }, MEANING),
    stages.element,
    below,
  );
  return {
    element,
    update(scene, focus) {
      write(sum, headline(scene, focus.at));
      stages.update(scene, focus);
      profile.update(scene, focus);
      limits.update(scene.run);
    },
    dispose: () => profile.dispose(),
  };
}
