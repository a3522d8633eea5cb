// The rewards of a training over its iterations: panels with one axis, which stream.

import type { Host, Picture } from "../pure/host.ts";
import { h, write } from "./dom.ts";
import { rewardCharts } from "./panels.ts";

export function reward(_host: Host): Picture {
  const charts = rewardCharts();
  const none = h("p", { class: "krw-none" }, "No training has begun yet.");
  const element = h("div", { class: "krw-headed" }, none, charts.element);
  charts.element.hidden = true;
  return {
    element,
    update(scene) {
      const training = scene.training;
      none.hidden = training !== null;
      charts.element.hidden = training === null;
      if (training !== null) {
        charts.update(training);
      } else if (scene.run !== null) {
        write(none, "This is the log of a run: rewards are those of a training.");
      }
    },
    dispose: () => charts.dispose(),
  };
}
