"""How a task delivers a project as a repository: the stages `creating_repo` and `pushing`, what they take and
return, and the fields of a request that say where.

Project --creating_repo--> RepositoryCreated --pushing--> Delivered
"""
