"""A collection of texts that agents search and read, without a network.

    kn.tools.index_folder("papers", "papers.sqlite")
    kn.swarm("…", tools=kn.tools.corpus_tools("papers.sqlite"))

One SQLite file, ranked by BM25 (FTS5). No model ever names its path.
"""

from kimi_nb.tools.corpus.folder import Indexed, index_folder
from kimi_nb.tools.corpus.store import Document, build
from kimi_nb.tools.corpus.tools import corpus_tools

__all__ = ["Document", "Indexed", "build", "corpus_tools", "index_folder"]
