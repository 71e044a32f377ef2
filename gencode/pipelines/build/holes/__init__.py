"""What models write: holes of a project, which are declared by its templates.

text = prompt_of(hole, project)                  # what the model is told
body = body_of(answer)                           # the statements of its answer
faults = faults_of(body, hole, project_names)    # why it cannot stand there
files = filled(files, {hole.name: body})
"""
