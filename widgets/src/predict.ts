// The widget of a prediction: asked for before a run, locked, and shown beside its trace.

import { Card } from "./draw/card.ts";
import { type Model, sent } from "./host.ts";
import type { Form, Told, Value } from "./pure/predict.ts";

interface Given {
  model: Model;
  el: HTMLElement;
  signal?: AbortSignal;
}

/** Milliseconds after which a press of the button that nobody has answered is told as such. */
const PATIENCE = 4000;

function render({ model, el, signal }: Given): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const card = new Card(model.get("asked") as Form, (value: Value) => {
    clearTimeout(timer);
    if (sent(model, { kind: "lock", value })) {
      timer = setTimeout(() => card.busy(), PATIENCE);
    } else {
      card.say("no kernel answers: run the cell again");
    }
  });
  const show = (): void => {
    clearTimeout(timer);
    card.show(model.get("told") as Told);
  };
  const hear = (message: { kind?: unknown; text?: unknown }): void => {
    if (message.kind === "told") {
      clearTimeout(timer);
      card.say(String(message.text ?? ""));
    }
  };
  const listeners: [string, (...values: never[]) => void][] = [
    ["change:told", show],
    ["msg:custom", hear],
  ];
  for (const [event, listener] of listeners) {
    model.on(event, listener);
  }
  el.append(card.element);
  show();

  const dispose = (): void => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", dispose);
    for (const [event, listener] of listeners) {
      model.off(event, listener);
    }
    card.dispose();
  };
  signal?.addEventListener("abort", dispose); // older hosts give no signal, and call what is returned
  return dispose;
}

export default { render };
