"""The kind `index`: a document of a knowledge base becomes text, chunks, and vectors.

    reading    the uploaded file to its text, which is stored
    indexing   the text to chunks in the index: from now on, text searches find them
    encoding   the chunks to vectors, batch by batch; the encoder of a base that has all of them is activated

A task without a document does what is missing of a base: chunks that the index has not, and vectors of
another encoder, which are built beside those that searches use.
"""
