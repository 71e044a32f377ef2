"""The web framework: declared operations, their requests and responses, event streams, and middleware.

The modules that limit something:

    rate_limit             submissions of a principal in a period; 429 beyond
    quota_enforcement      tasks, tokens and cost of a principal in a day or month; 429 beyond
    per_client_semaphore   concurrent short reads of one client; further ones wait
    read_turns             reads of one client are answered one after the other
    fair_limiter           concurrent costly requests of all clients, one of each client; further ones wait
    connection_limits      open connections of the server, and the seconds in which a request must arrive
    write_deadline         seconds in which a client must receive what was written

`routes` assembles the application with its middlewares, CORS included (Starlette's CORSMiddleware).
"""
