"""The catalogs of languages: what the views say, and what each catalog has of it."""
