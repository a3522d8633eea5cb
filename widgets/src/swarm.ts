// The widget of a run: graph, timeline and critical steps.

import { critical } from "./draw/critical.ts";
import { Frame, type Pictures } from "./draw/frame.ts";
import { graph } from "./draw/graph.ts";
import { timeline } from "./draw/timeline.ts";
import { Store } from "./host.ts";
import { type Given, mount } from "./mount.ts";

const PICTURES: Pictures = new Map([
  ["graph", { title: "Graph", make: graph }],
  ["timeline", { title: "Timeline", make: timeline }],
  ["critical", { title: "Critical steps", make: critical }],
]);

export default {
  render: (given: Given) =>
    mount(
      given,
      (model, changed) => new Store(model, changed),
      (store) => new Frame(store, PICTURES),
    ),
};
