"""Posts reviews of code to the change requests of GitHub, GitLab, and Gitea or Forgejo.

`posting` brings what is on a change to what a review says, and can be repeated after every crash: each text
that it posts carries a marker (`markers`), and nothing is posted whose marker is there. The adapters
(`github`, `gitlab`, `gitea`) implement the port (`port`) and never import each other; `connect` chooses one.
"""
