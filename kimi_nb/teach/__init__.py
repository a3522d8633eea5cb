"""Teaching: what was predicted before a run, held against its trace."""
