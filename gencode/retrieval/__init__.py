"""Search in the documents of knowledge bases, and citations that are verified.

    document = split_document("guide", text, form="markdown")       # chunking: takes processor time
    async with open_sqlite_index(path) as index:                    # sqlite.index; postgres.index; memory
        await index.apply("base", put=[document])                   # one transaction
        await encode_missing(index, "base", encoder)                # indexing; encoders.openai, .offline
        await index.activate("base", encoder.info.id)
        result = await HybridSearch(index, [encoder]).search(question, ["base"])   # search
        stored = await index.find("base", [chunk.ref for chunk in shown])
        citations = verify_quotes(quotes, shown, stored)            # citations

`port` has the interfaces of index and encoder, `records` what they take and return. Chunks and vectors need
the extra `workspace`, PostgreSQL needs `cluster`, and the offline encoder `offline-encoder`. Chunks, joined,
are the text of their document. A chunk is named by its document, its number and the SHA-256 of its text: it
shows when a cited text was changed since.
"""
