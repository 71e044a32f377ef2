"""The kind `code_review`: a diff becomes findings, each on a line that is proven, and a ledger that says what
was read.

The model judges. Code chooses the files, bundles the hunks, places each finding by anchor and quote, merges,
ranks and limits.
"""
