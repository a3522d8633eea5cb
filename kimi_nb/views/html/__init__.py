"""Parts of pages: what the report in a browser and the summary in a notebook are made of."""
