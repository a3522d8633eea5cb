"""A course for nbgrader: copy this folder, and run its commands there."""

c = get_config()  # noqa: F821 -- nbgrader has it

c.CourseDirectory.course_id = "kimi-nb"
# The stub above each solution stays; nothing that raises is put in the solution's place.
c.ClearSolutions.code_stub = {"python": ""}
