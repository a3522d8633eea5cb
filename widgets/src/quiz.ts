// The widget of a quiz: each answer is told at once whether it is right, and why.

import { asked } from "./asked.ts";
import { QuizCard } from "./draw/quizcard.ts";
import type { Given } from "./mount.ts";
import type { Form, Told } from "./pure/quiz.ts";

export default {
  render: (given: Given) =>
    asked<Form, Told>(
      given,
      (form, ask) => new QuizCard(form, (item, letter) => ask({ kind: "answer", item, letter })),
    ),
};
