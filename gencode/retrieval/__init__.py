"""Search in the documents of knowledge bases, and citations that are verified.

    document = split_document("guide", text, form="markdown")      # chunking: a CPU-bound function
    citations = verify_quotes(quotes, shown=chunks, stored=found)  # citations

`chunking` needs the extra `workspace`. Chunks, joined, are the text of their document; a chunk is named by
its document, its number and the SHA-256 of its text: it shows when a cited text was changed since.
"""
