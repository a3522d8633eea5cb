// The widget of the playground: sliders for λ beside the rewards of a training.

import { PlayFrame } from "./draw/playframe.ts";
import { type Given, mount } from "./mount.ts";
import { PlayStore } from "./playhost.ts";

export default {
  render: (given: Given) =>
    mount(
      given,
      (model, changed) => new PlayStore(model, changed),
      (store) => new PlayFrame(store),
    ),
};
