"""What an agent can do besides talking."""

from kimi_nb.tools.base import MOST_TOOLS, Tool, ToolContext, ToolOutcome, Toolset
from kimi_nb.tools.corpus import corpus_tools, index_folder
from kimi_nb.tools.decorator import tool
from kimi_nb.tools.fetch import fetch_tool
from kimi_nb.tools.files import grep, list_files, read_file
from kimi_nb.tools.image import Image
from kimi_nb.tools.mcp import mcp_tools
from kimi_nb.tools.packages import list_packages, package_info
from kimi_nb.tools.python import python_tool

__all__ = [
    "MOST_TOOLS",
    "Image",
    "Tool",
    "ToolContext",
    "ToolOutcome",
    "Toolset",
    "corpus_tools",
    "fetch_tool",
    "grep",
    "index_folder",
    "list_files",
    "list_packages",
    "mcp_tools",
    "package_info",
    "python_tool",
    "read_file",
    "standard_tools",
    "tool",
]


def standard_tools() -> Toolset:
    """The tools that every agent has unless told otherwise. Close the set after the run."""
    return Toolset([list_files, read_file, grep, list_packages, package_info, python_tool()])
