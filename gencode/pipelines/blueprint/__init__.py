"""Tasks of kind `blueprint`: requirements become a blueprint, or a proposed change of one.

collecting   texts and requirement documents as they are now; for a change, the draft as it is now
outlining    what the application consists of: names and one line each
detailing    a model call for each group of elements; each answer is a checkpoint, each element an event
repairing    certain fixes by code; the rest of the errors goes back to the model, element by element
delivering   a new draft, or a proposal that a person accepts
"""
