"""The kind `test_generation`: tests for the functions that a patch changes, or that are named.

    collecting        files, patch --> target groups: functions of one file, and the path of their test file
    writing_tests     one model call for each group; the validator's findings go back to the model
    verifying_tests   in the sandbox, if it is on: which tests are kept, and why not the others
    pushing_branch    if wanted: the files become a commit on a new branch

Paths are chosen by code, never by the model.
"""
