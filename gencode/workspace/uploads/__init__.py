"""Files that users upload, for the resources that keep them: requirement documents, knowledge bases.

    UPLOAD = FileBody(model=UploadFields)                        # gencode.http.file_body

    @operation(..., body=UPLOAD)                                 # may be sent up to MAX_FILE_SIZE
    async def upload(request):
        workspace = get_extension(request, Workspace)
        async with workspace.uploads.receive(request, UPLOAD, get_principal(request).id) as received:
            values = {"name": received.file_name, "upload_id": received.row.id, ...}
            row = await workspace.resource(DOCUMENTS).create(values, actor_of(request), [received.row])

    data = await workspace.uploads.read(row.upload_id, row.owner)   # later, in a task

`receive` checks name and size as the file arrives. `received.row` is stored in the transaction of the row
that names it, so that neither exists without the other. A file is in the table `uploads`, not in a folder: so
it is in the backup, every process of a cluster can read it, and a crash leaves nothing behind. SQLite stores
10 MiB in 50 to 110 ms and reads them in 15 ms, about as a file.
"""
