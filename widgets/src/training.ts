// The widget of a training, the same as that of a run but for its picture: the charts weigh as much
// as all the pictures of a run, and whoever runs swarms is not to carry them.

import { Frame, type Pictures } from "./draw/frame.ts";
import { reward } from "./draw/reward.ts";
import { Store } from "./host.ts";
import { type Given, mount } from "./mount.ts";

const PICTURES: Pictures = new Map([["reward", { title: "Reward", make: reward }]]);

export default {
  render: (given: Given) =>
    mount(
      given,
      (model, changed) => new Store(model, changed),
      (store) => new Frame(store, PICTURES),
    ),
};
