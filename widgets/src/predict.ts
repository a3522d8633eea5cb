// The widget of a prediction: asked for before a run, locked, and shown beside its trace.

import { asked } from "./asked.ts";
import { Card } from "./draw/card.ts";
import type { Given } from "./mount.ts";
import type { Form, Told } from "./pure/predict.ts";

export default {
  render: (given: Given) =>
    asked<Form, Told>(
      given,
      (form, ask) => new Card(form, (value) => ask({ kind: "lock", value })),
    ),
};
