"""The exercises, questions and quizzes of the curriculum, one module for each notebook."""
