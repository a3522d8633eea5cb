// The widget of a prediction: asked for before a run, locked, and shown beside its trace.

import { Card } from "./draw/card.ts";
import type { Form, Told, Value } from "./pure/predict.ts";
import { type Listener, type Model, Wire } from "./wire.ts";

interface Given {
  model: Model;
  el: HTMLElement;
  signal?: AbortSignal;
}

function render({ model, el, signal }: Given): () => void {
  const card = new Card(model.get("asked") as Form, (value: Value) =>
    wire.ask({ kind: "lock", value }),
  );
  const show = (): void => card.show(model.get("told") as Told);
  const listeners: [string, Listener][] = [
    [
      "change:told",
      () => {
        wire.heard();
        show();
      },
    ],
    [
      "msg:custom",
      (message: { kind?: unknown; text?: unknown }) => {
        if (message.kind === "told") {
          wire.heard();
          card.say(String(message.text ?? ""));
        }
      },
    ],
  ];
  const wire = new Wire(model, listeners, () => card.busy());
  el.append(card.element);
  show();

  const dispose = (): void => {
    signal?.removeEventListener("abort", dispose);
    wire.close();
    card.dispose();
  };
  signal?.addEventListener("abort", dispose); // older hosts give no signal, and call what is returned
  return dispose;
}

export default { render };
