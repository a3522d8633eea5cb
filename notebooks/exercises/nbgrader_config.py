"""A course for nbgrader: copy this folder, and run its commands there."""

c = get_config()  # noqa: F821 -- nbgrader has it

c.CourseDirectory.course_id = "kimi-nb"
# The stub above each solution stays; nothing that raises is put in the solution's place.
c.ClearSolutions.code_stub = {"python": ""}
# The releases are here already; made again, they are known to the gradebook.
c.GenerateAssignment.force = True
# What a student did is no progress of the teacher's: each kernel forgets it when it ends.
FORGETS = (
    "import os as _os, tempfile as _tempfile",
    "_home = _tempfile.TemporaryDirectory()",
    "_os.environ['KIMI_NB_HOME'] = _home.name",
)
c.Execute.extra_arguments = [f"--IPKernelApp.exec_lines={list(FORGETS)}"]
