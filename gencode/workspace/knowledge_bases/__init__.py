"""Knowledge bases: documents of users, which are indexed, searched and cited.

For kinds of task (chat, review), by `dependencies.extension(KnowledgeBases)`:

    knowledge = dependencies.extension(KnowledgeBases)          # knowledge_bases.knowledge
    found = await knowledge.search_bases(principal, base_ids, question, limit=8, task_id=task.id)
    found.sources          # what to show the model: each has text, document_name, page, score
    found.is_complete      # False: documents of these bases are not indexed, `found.missing` names them
    stored = [source.model_dump(mode="json") for source in found.sources]        # for a checkpoint
    cited = await knowledge.verify(principal, [KnowledgeQuote(text="...", source=0)], found.sources)
    cited[0].is_verified   # else `reason`, such as not_found; `locations` have document, page and offsets

`knowledge_bases.sources` has KnowledgeSource, KnowledgeFound, KnowledgeQuote and KnowledgeCitation, which are
JSON. A quote names its source by its position among those that were shown, from 0. A base that the
principal may not read raises NotFound. Documents that are not indexed yet are no error: say so in the answer.
"""
