"""How outbound requests leave this machine: through which proxy, and which certificates are trusted."""
