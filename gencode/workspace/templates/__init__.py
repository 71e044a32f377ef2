"""Template sets of users and of the distribution: stored, proven on a corpus, published, applied."""
