"""What kinds of task that ask models share: limits in the request, the choice of the model, calls whose
answers are checkpoints, and the charge of calls that a killed process has left open.

    class ReviewRequest(ModelTaskRequest): ...

    async def prepare(request, submitter):
        model = await choose_model(request, submitter, dependencies.choose_model)
        return PreparedTask(request={**stored_request(request), **model.parameters()}, ...)

    async def run(work, emit):                                       # a stage
        calls = await ModelCalls.open(sessions, work.run, emit)      # work.run: ModelRun.of(...) in `restore`
        findings = await calls.ask("a.py", chat_request, parse, Findings)
"""
