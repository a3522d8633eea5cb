"""What teachers get, notebooks/instructor: guide, misconceptions, cards, slides, rubric."""
