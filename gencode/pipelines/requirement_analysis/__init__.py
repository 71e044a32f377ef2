"""Tasks of kind `requirement_analysis`: a requirement document becomes structured requirements.

collecting   the document as it is now, cut into parts, and the requirements of its last version
analysing    a model call for each part, then one about contradictions; each answer is a checkpoint
delivering   the requirements go into the document
"""
