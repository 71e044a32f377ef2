"""An uploaded file becomes text: .txt, .md, .pdf, .doc and .docx.

    from gencode.documents.extractor import DocumentExtractor

    async with DocumentExtractor() as documents:
        document = await documents.extract("需求.docx", data)

`Document` (`gencode.documents.document`) is the text in Markdown with its pages or sections, the detected
kind, counts, and warnings about what the text lacks. A file that cannot be read as a whole ends in a
`DocumentError` (`gencode.documents.errors`), never in an empty or a cut text. Every file is parsed in a child
process of its own, with 10 s of processor time and 512 MB of memory. The readers are libraries of the extra
`workspace`; antiword and catdoc are used for old .doc files where they are installed.

The modules below `child_main` run in the child and import nothing of the service but its errors.
"""
