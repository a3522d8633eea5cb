"""From one bilingual source to two notebooks, and what is checked on the way."""
